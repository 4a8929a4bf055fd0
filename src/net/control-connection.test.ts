import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, createConnection, createServer } from "node:net";
import { test } from "node:test";
import { bytesOfText } from "../base/bytes.ts";
import { ControlConnection } from "./control-connection.ts";
import { QUEUE_LIMIT } from "./limits.ts";

type Pair = AsyncDisposable & { readonly control: ControlConnection; readonly client: Socket; readonly socket: Socket };

async function pair(): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true });
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const client = createConnection({ port: address.port, host: "127.0.0.1", allowHalfOpen: true });
  client.on("error", () => {});
  const [socket]: Socket[] = await once(server, "connection");
  assert.ok(socket !== undefined);
  const control = new ControlConnection(socket, () => {});
  return {
    control,
    client,
    socket,
    async [Symbol.asyncDispose]() {
      control.drop();
      client.destroy();
      server.close();
    },
  };
}

async function lineOf(control: ControlConnection): Promise<string> {
  const input = await control.next();
  return input?.kind === "line" ? input.line : `(${input?.kind})`;
}

test("lines come in order, however they are cut", async () => {
  await using both = await pair();
  both.client.write("NO");
  both.client.write("OP\r\nSYST\r\nPW");
  assert.equal(await lineOf(both.control), "NOOP");
  assert.equal(await lineOf(both.control), "SYST");
  both.client.end("D\r\n");
  assert.equal(await lineOf(both.control), "PWD");
  assert.equal(await both.control.next(), undefined);
});

test("pipelined commands queue up to the limit, then the socket is paused; none is lost", async () => {
  await using both = await pair();
  const count = 50_000;
  both.client.write(Array.from({ length: count }, (_, at) => `NOOP ${at}\r\n`).join(""));
  assert.equal(await lineOf(both.control), "NOOP 0");
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  assert.ok(both.socket.isPaused());
  // One chunk of the system's may be over the limit, no more.
  assert.ok(both.socket.bytesRead < 300_000, `${both.socket.bytesRead} octets read`);
  for (let at = 1; at < count; at++) assert.equal(await lineOf(both.control), `NOOP ${at}`);
});

test("attack 43: 64 MiB without a line end keep no memory, and are answered once", async () => {
  await using both = await pair();
  const before = process.memoryUsage().rss;
  const chunk = Buffer.alloc(1_048_576, "A");
  const sending = (async () => {
    for (let turn = 0; turn < 64; turn++) {
      if (!both.client.write(chunk)) await once(both.client, "drain");
    }
    both.client.write("\r\nNOOP\r\n");
  })();
  assert.equal(await lineOf(both.control), "(too-long)");
  assert.equal(await lineOf(both.control), "NOOP");
  await sending;
  const grown = (process.memoryUsage().rss - before) / 1_048_576;
  assert.ok(grown < 48, `${grown} MiB`);
});

test("a watcher takes lines out of turn and leaves the rest in order", async () => {
  await using both = await pair();
  both.client.write("RETR a\r\n");
  assert.equal(await lineOf(both.control), "RETR a");
  const taken: [string, number][] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  both.control.watch((input, ahead) => {
    if (input.kind !== "line" || input.line !== "ABOR") return false;
    taken.push([input.line, ahead]);
    resolve();
    return true;
  });
  both.client.write("EPSV\r\nABOR\r\nRETR b\r\n");
  await promise;
  assert.deepEqual(taken, [["ABOR", 1]]);
  assert.equal(await lineOf(both.control), "EPSV");
  assert.equal(await lineOf(both.control), "RETR b");
});

test("a client that does not read its replies makes `write` wait, and lets go when it is gone", async () => {
  await using both = await pair();
  both.client.pause();
  const reply = bytesOfText(`${"x".repeat(100_000)}\r\n`);
  let written = 0;
  const writing = (async () => {
    for (; written < 1_000 && !both.control.closed.aborted; written++) {
      both.control.write(reply);
      await both.control.room();
    }
  })();
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  assert.ok(written < 200, `${written} replies of 100,000 octets went out unread`);
  both.client.destroy();
  await writing;
});

test("the end goes out after the last reply, also when the client still sends", async () => {
  await using both = await pair();
  both.client.write("QUIT\r\n".repeat(QUEUE_LIMIT));
  assert.equal(await lineOf(both.control), "QUIT");
  both.control.write(bytesOfText("221 Goodbye.\r\n"));
  both.control.end();
  let text = "";
  both.client.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await once(both.client, "end");
  assert.equal(text, "221 Goodbye.\r\n");
  assert.equal(await both.control.next(), undefined);
});
