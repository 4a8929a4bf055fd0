/**
 * Why data modes are tried one after another on a control connection and never side by side (decision 027): what a server
 * announces next takes the place of what it announced before, with the connection that waits there already.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, createConnection, createServer } from "node:net";
import { suite, test } from "node:test";
import { formatEprt, parse227, parse229 } from "../../src/protocol/host-port.ts";
import { Wire } from "../support/wire.ts";
import { CONTENT, PEER_NAMES, absentPeer, startPeer } from "./peers.ts";

const HOST = "127.0.0.1";

async function dialled(port: number | undefined): Promise<{ readonly socket: Socket; readonly got: () => number }> {
  assert.ok(port !== undefined);
  const socket = createConnection({ host: HOST, port });
  socket.on("error", () => {});
  let octets = 0;
  socket.on("data", (chunk) => (octets += chunk.length));
  await once(socket, "connect");
  return { socket, got: () => octets };
}

for (const name of PEER_NAMES) {
  suite(`a second announcement to ${name}`, { skip: absentPeer(name), concurrency: false }, () => {
    for (const next of ["PASV", "EPRT"] as const) {
      // It does the same, and waits for 10 s before it connects.
      if (name === "proftpd" && next === "EPRT") continue;
      test(`${next} after EPSV: the first connection gets nothing`, async (context) => {
        await using peer = await startPeer(name);
        using wire = await Wire.login(peer.port, peer.login);
        await wire.expect(200, "TYPE I");
        const first = await dialled(parse229((await wire.expect(229, "EPSV")).join(" ")));
        const listener = createServer((socket) => socket.on("error", () => {}));
        context.after(() => listener.close());
        const arrivals = once(listener, "connection");
        listener.listen(0, HOST);
        await once(listener, "listening");
        const own = listener.address();
        assert.ok(own !== null && typeof own === "object");
        let second: Awaited<ReturnType<typeof dialled>> | undefined;
        if (next === "PASV") second = await dialled(parse227((await wire.expect(227, "PASV")).join(" "))?.port);
        else await wire.expect(200, `EPRT ${formatEprt({ family: "IPv4", address: HOST, port: own.port })}`);
        assert.match(`${(await wire.ask("RETR hello.txt")).code}`, /^1[25][05]$/);
        await wire.expect(226);
        if (second === undefined) {
          const [arrived]: Socket[] = await arrivals;
          arrived?.resume();
        } else {
          if (!second.socket.readableEnded) await once(second.socket, "end");
          assert.equal(second.got(), CONTENT["/hello.txt"].length);
        }
        assert.equal(first.got(), 0, "the connection that came first");
        for (const each of [first.socket, second?.socket]) each?.destroy();
      });
    }
  });
}
