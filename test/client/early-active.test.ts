/** A server like pyftpdlib, which connects at EPRT already, and resets what begins TLS before it has seen the command. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { test } from "node:test";
import { TLSSocket, createSecureContext, createServer } from "node:tls";
import { connect } from "../../src/client/client.ts";
import { held } from "../support/ports.ts";
import { pairFor } from "../support/tls.ts";

const CONTENT = "what is there";
/** Milliseconds that it takes to see a command: it is busy. */
const BUSY_MS = 100;
const SIMPLE: Readonly<Record<string, string>> = {
  USER: "331 Password?",
  PASS: "230 Hello.",
  PBSZ: "200 0",
  PROT: "200 Private.",
  TYPE: "200 As you like.",
  PWD: '257 "/" is it.',
};

test("TLS of an active connection that is there early waits for the first reply", async () => {
  const pair = pairFor("localhost", "127.0.0.1");
  const sockets = new Set<Socket>();
  let begunEarly = 0;
  const server = createServer({ cert: pair.cert, key: pair.key }, (control) => {
    sockets.add(control);
    control.on("error", () => {});
    let data: Socket | undefined;
    const early = (): void => {
      begunEarly += 1;
      data?.resetAndDestroy();
    };
    const answer = async (line: string): Promise<void> => {
      const [verb = "", argument = ""] = line.split(" ");
      if (verb === "EPRT") {
        data = createConnection({ host: "127.0.0.1", port: Number(argument.split("|")[3]), allowHalfOpen: true });
        sockets.add(data);
        data.on("error", () => {});
        await once(data, "connect");
        data.once("readable", early);
        control.write("200 Connected.\r\n");
      } else if (verb === "RETR" && data !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
        data.off("readable", early);
        control.write("150 Here it comes.\r\n");
        const secured = new TLSSocket(data, { isServer: true, secureContext: createSecureContext(pair) });
        secured.on("error", () => {});
        secured.resume();
        secured.end(CONTENT, () => control.write("226 That is all.\r\n"));
      } else control.write(`${SIMPLE[verb] ?? "502 No."}\r\n`);
    };
    control.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString("latin1").split("\r\n").filter(Boolean)) void answer(line);
    });
    control.write("220 Early.\r\n");
  });
  await using running = await held(server, sockets);
  await using client = await connect(`ftps://ann:secret@127.0.0.1:${running.port}`, {
    store: false,
    retry: { attempts: 1 },
    tls: { trust: "any" },
    data: { modes: ["eprt"] },
  });
  assert.equal((await client.read("/x")).toString(), CONTENT);
  assert.equal(begunEarly, 0);
});
