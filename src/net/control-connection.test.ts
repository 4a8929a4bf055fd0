import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, fstatSync, openSync } from "node:fs";
import { type Socket, createConnection, createServer } from "node:net";
import { test } from "node:test";
import { bytesOfText } from "../base/bytes.ts";
import { loadDataCalls } from "../sys/data-calls.ts";
import { clientOf, openWire } from "./accepted-client.ts";
import { ControlConnection } from "./control-connection.ts";
import type { DataPath } from "./data-path.ts";
import { QUEUE_LIMIT } from "./limits.ts";
import type { Wire } from "./wire.ts";

type Pair = AsyncDisposable & {
  readonly control: ControlConnection;
  readonly client: Socket;
  readonly wire: Wire;
  readonly closed: Promise<void>;
};

async function pair(path: DataPath): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true });
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const opened = Promise.withResolvers<Wire>();
  server.on("connection", (socket) => {
    const client = clientOf(socket);
    assert.ok(client !== undefined);
    opened.resolve(openWire(client, path));
  });
  const client = createConnection({ port: address.port, host: "127.0.0.1", allowHalfOpen: true });
  client.on("error", () => {});
  const wire = await opened.promise;
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  const control = new ControlConnection(wire, { onActivity: () => {}, onClosed });
  return {
    control,
    client,
    wire,
    closed,
    async [Symbol.asyncDispose]() {
      control.drop();
      client.destroy();
      server.close();
    },
  };
}

const calls = loadDataCalls();
const PATHS: readonly DataPath[] = [
  { kind: "portable", why: "this test asks for it" },
  ...(calls === undefined ? [] : [{ kind: "native", calls } as const]),
];

function openFile(): Disposable & { readonly descriptor: number } {
  const descriptor = openSync(import.meta.filename, "r");
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
}

async function lineOf(control: ControlConnection): Promise<string> {
  const input = await control.next();
  return input?.kind === "line" ? input.line : `(${input?.kind})`;
}

for (const path of PATHS) {
  test(`${path.kind}: lines come in order, however they are cut`, async () => {
    await using both = await pair(path);
    both.client.write("NO");
    both.client.write("OP\r\nSYST\r\nPW");
    assert.equal(await lineOf(both.control), "NOOP");
    assert.equal(await lineOf(both.control), "SYST");
    both.client.end("D\r\n");
    assert.equal(await lineOf(both.control), "PWD");
    assert.equal(await both.control.next(), undefined);
  });

  test(`${path.kind}: pipelined commands queue up to the limit, then the socket is paused; none is lost`, async () => {
    await using both = await pair(path);
    const count = 50_000;
    both.client.write(Array.from({ length: count }, (_, at) => `NOOP ${at}\r\n`).join(""));
    assert.equal(await lineOf(both.control), "NOOP 0");
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    assert.ok(both.wire.isPaused);
    // What the system's buffers do not take is still with the client.
    assert.ok(both.control.waiting <= QUEUE_LIMIT);
    for (let at = 1; at < count; at++) assert.equal(await lineOf(both.control), `NOOP ${at}`);
  });

  test(`${path.kind}: attack 43: 64 MiB without a line end keep no memory, and are answered once`, async () => {
    await using both = await pair(path);
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

  test(`${path.kind}: a watcher takes lines out of turn and leaves the rest in order`, async () => {
    await using both = await pair(path);
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

  test(`${path.kind}: a client that does not read its replies makes the writer wait, and lets go when it is gone`, async () => {
    await using both = await pair(path);
    both.client.pause();
    const reply = bytesOfText(`${"x".repeat(100_000)}\r\n`);
    let written = 0;
    const writing = (async () => {
      for (; written < 1_000 && both.wire.isWritable; written++) {
        both.control.write(reply);
        await both.control.room();
      }
    })();
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    assert.ok(written < 200, `${written} replies of 100,000 octets went out unread`);
    both.client.destroy();
    await writing;
  });

  test(`${path.kind}: the end goes out after the last reply, also when the client still sends`, async () => {
    await using both = await pair(path);
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

  test(`${path.kind}: a client that has ended its side still gets replies; one that resets is gone`, async () => {
    await using both = await pair(path);
    both.client.end("STAT\r\n");
    assert.equal(await lineOf(both.control), "STAT");
    assert.equal(await both.control.next(), undefined);
    assert.ok(both.control.ended.aborted && both.wire.isWritable);
    both.control.write(bytesOfText("211 Fine.\r\n"));
    const [text]: Buffer[] = await once(both.client, "data");
    assert.equal(String(text), "211 Fine.\r\n");
    await using other = await pair(path);
    other.client.write("NOOP\r\n");
    assert.equal(await lineOf(other.control), "NOOP");
    other.client.resetAndDestroy();
    assert.equal(await other.control.next(), undefined);
    await other.closed;
  });

  test(`${path.kind}: handed over to a socket, what is unsent and unread goes along`, async () => {
    await using both = await pair(path);
    both.client.pause();
    const reply = "y".repeat(300_000);
    let expected = 0;
    while (both.wire.unsent === 0) {
      both.wire.write(reply);
      expected += reply.length;
    }
    const socket = both.wire.toSocket();
    both.client.write("unread");
    socket.write("last");
    expected += 4;
    let got = 0;
    both.client.on("data", (chunk: Buffer) => {
      got += chunk.length;
      if (got >= expected) both.client.emit("all");
    });
    await once(both.client.resume(), "all");
    assert.equal(got, expected);
    const [text]: Buffer[] = await once(socket.resume(), "data");
    assert.equal(String(text), "unread");
    socket.destroy();
    await both.closed;
  });

  test(`${path.kind}: a connection that is closed is handed over as a closed one, and no descriptor of others with it`, async () => {
    await using both = await pair(path);
    both.wire.destroy();
    // It takes the number that has just become free.
    using file = openFile();
    assert.ok(both.wire.toSocket().destroyed);
    await both.closed;
    assert.equal(fstatSync(file.descriptor).isFile(), true);
    assert.equal(both.wire.isWritable, false);
    both.wire.write("nothing");
  });
}
