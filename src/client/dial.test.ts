/** Straight connections: which address wins, what is said when none does, and that nothing is read or left open. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { type DialOptions, type Dialled, dial } from "./dial.ts";
import { FtpError } from "./errors.ts";
import type { Lookup } from "./resolve.ts";
import { greetingEcho, listen } from "./test-proxies.ts";

const LIMIT = { timeoutMs: 5_000 };

/** What a name server would say. A code in place of addresses is its error. */
function names(six: readonly string[] | string, four: readonly string[] | string): Lookup {
  return async (_, family) => {
    const said = family === 6 ? six : four;
    if (typeof said === "string") throw Object.assign(new Error(said), { code: said });
    return said;
  };
}

async function failure(work: Promise<Dialled>): Promise<FtpError> {
  try {
    (await work).socket.destroy();
  } catch (error) {
    assert.ok(error instanceof FtpError, String(error));
    return error;
  }
  return assert.fail("a connection came about");
}

async function firstOf(socket: Socket): Promise<string> {
  socket.resume();
  const [chunk] = await once(socket, "data");
  assert.ok(Buffer.isBuffer(chunk));
  return chunk.toString();
}

/** A port that nothing listens on: it was free a moment ago. */
async function closedPort(): Promise<number> {
  await using server = await listen(() => undefined);
  return server.port;
}

test("a literal address asks no name server; the socket is paused, unread and may be half-open", async () => {
  await using server = await listen(greetingEcho);
  const lookup = names("ASKED", "ASKED");
  const { socket, address, via } = await dial({ host: "127.0.0.1", port: server.port }, { ...LIMIT, lookup });
  try {
    assert.deepEqual([address, via], ["127.0.0.1", undefined]);
    assert.ok(socket.isPaused() && socket.allowHalfOpen);
    // The greeting is under way; a second connection's turn on the loop would have read it.
    (await dial({ host: "127.0.0.1", port: server.port }, LIMIT)).socket.destroy();
    assert.equal(socket.bytesRead, 0);
    assert.equal(socket.listenerCount("error"), 0);
    assert.equal(await firstOf(socket), "220 hello\r\n");
  } finally {
    socket.destroy();
  }
});

test("IPv6 leads, and a refusal starts the next try at once", async () => {
  await using four = await listen(greetingEcho);
  const lookup = names(["::1"], ["127.0.0.1"]);
  const { socket, address } = await dial({ host: "both.example", port: four.port }, { ...LIMIT, lookup });
  socket.destroy();
  assert.equal(address, "127.0.0.1");
  await using six = await listen(greetingEcho, { host: "::1" });
  const again = await dial({ host: "both.example", port: six.port }, { ...LIMIT, lookup });
  again.socket.destroy();
  assert.equal(again.address, "::1");
});

test("one family alone, where it is asked for or the local address has it", async () => {
  await using server = await listen(greetingEcho);
  const target = { host: "both.example", port: server.port };
  const lookup = names(["::1"], ["127.0.0.1"]);
  const error = await failure(dial(target, { ...LIMIT, lookup, family: 6 }));
  assert.match(error.message, /^both\.example: connection refused at \[::1\]:\d+$/);
  for (const options of [{ family: 4 }, { localAddress: "127.0.0.1" }] satisfies Partial<DialOptions>[]) {
    const { socket, address } = await dial(target, { ...LIMIT, lookup: names("ASKED", ["127.0.0.1"]), ...options });
    assert.deepEqual([address, socket.localAddress], ["127.0.0.1", "127.0.0.1"]);
    socket.destroy();
  }
  const wrong = await failure(dial({ host: "127.0.0.1", port: 1 }, { ...LIMIT, family: 6 }));
  assert.equal(wrong.code, "USAGE");
});

test("every failed try is in the error, with what to do", async () => {
  const port = await closedPort();
  const lookup = names(["::1"], ["127.0.0.1"]);
  const error = await failure(dial({ host: "example.org", port }, { ...LIMIT, lookup, connection: "data" }));
  assert.equal(error.message, `example.org: connection refused at [::1]:${port} and 127.0.0.1:${port}`);
  assert.deepEqual(
    [error.code, error.phase, error.connection, error.retryable],
    ["UNREACHABLE", "connect", "data", true],
  );
  assert.match(error.hint ?? "", /Nothing listens there/);
});

test("a name that nobody knows, and a name server that is silent", async () => {
  const target = { host: "example.org", port: 21 };
  const unknown = await failure(dial(target, { ...LIMIT, lookup: names("ENOTFOUND", "ENOTFOUND") }));
  assert.equal(unknown.message, "example.org: no host of this name");
  assert.deepEqual([unknown.code, unknown.phase, unknown.retryable], ["UNREACHABLE", "resolve", false]);
  const empty = await failure(dial(target, { ...LIMIT, lookup: names([], []), family: 6 }));
  assert.equal(empty.message, "example.org: no host of this name on IPv6");
  const away = await failure(dial(target, { ...LIMIT, lookup: names("ENOTFOUND", "EAI_AGAIN") }));
  assert.match(away.message, /name server does not answer/);
  assert.ok(away.retryable);
  const never = await failure(dial(target, { timeoutMs: 20, lookup: () => new Promise(() => undefined) }));
  assert.match(never.message, /^example\.org: the name server did not answer within 0\.02 s$/);
  assert.deepEqual([never.code, never.phase], ["TIMEOUT", "resolve"]);
});

test("a family whose answer is late joins the race", async () => {
  await using server = await listen(greetingEcho, { host: "::1" });
  const late = Promise.withResolvers<readonly string[]>();
  const asked: number[] = [];
  const lookup: Lookup = async (_, family) => {
    asked.push(family);
    return family === 6 ? late.promise : ["127.0.0.1"];
  };
  const dialled = dial({ host: "slow.example", port: server.port }, { ...LIMIT, lookup });
  // The try on IPv4 has failed by the time that IPv6 is known: the race must still be open.
  const { promise, resolve } = Promise.withResolvers<void>();
  createConnection({ host: "127.0.0.1", port: server.port }).once("error", () => setTimeout(resolve, 80));
  await promise;
  late.resolve(["::1"]);
  const { socket, address } = await dialled;
  socket.destroy();
  assert.deepEqual([address, asked], ["::1", [6, 4]]);
});

test("the caller's signal ends it with its own reason, before and within", async () => {
  const reason = new Error("enough");
  const target = { host: "example.org", port: 21 };
  await assert.rejects(dial(target, { ...LIMIT, signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const lookup: Lookup = () => {
    setImmediate(() => controller.abort(reason));
    return new Promise(() => undefined);
  };
  await assert.rejects(dial(target, { ...LIMIT, lookup, signal: controller.signal }), reason);
});

/** A listener on `host` that accepts nobody: once its queue is full, Linux drops what knocks, as some firewalls do. */
async function silent(host: string): Promise<AsyncDisposable & { readonly port: number }> {
  const release = new Int32Array(new SharedArrayBuffer(4));
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    const server = require("node:net").createServer().listen({ port: 0, host: workerData.host, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(workerData.release, 0, 0);
      process.exit();
    });`;
  const worker = new Worker(code, { eval: true, workerData: { host, release } });
  const [port]: unknown[] = await once(worker, "message");
  assert.ok(typeof port === "number");
  const queue = [1, 2].map(() => createConnection({ host, port }));
  await Promise.all(queue.map((socket) => once(socket, "connect")));
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of queue) socket.on("error", () => undefined).destroy();
      Atomics.store(release, 0, 1);
      Atomics.notify(release, 0);
      await once(worker, "exit");
    },
  };
}

const skip =
  process.platform === "linux" ? false : "only Linux has all of 127.0.0.0/8 and drops what a full queue cannot hold";

test("a silent address is overtaken after 250 ms, and its try is closed", { skip }, async () => {
  await using hole = await silent("127.0.0.1");
  const target = { host: "half.example", port: hole.port };
  const before = performance.now();
  const refused = await failure(
    dial(target, { timeoutMs: 600, lookup: names("ENOTFOUND", ["127.0.0.1", "127.0.0.2"]) }),
  );
  assert.ok(performance.now() - before >= 590);
  assert.equal(refused.code, "TIMEOUT");
  assert.equal(
    refused.message,
    `half.example: no answer within 0.6 s at 127.0.0.1:${hole.port}, connection refused at 127.0.0.2:${hole.port}`,
  );
  await using other = await listen(greetingEcho, { host: "127.0.0.2", port: hole.port });
  const started = performance.now();
  const { socket, address } = await dial(target, { ...LIMIT, lookup: names("ENOTFOUND", ["127.0.0.1", "127.0.0.2"]) });
  const ms = performance.now() - started;
  socket.destroy();
  assert.equal(address, "127.0.0.2");
  assert.equal(other.connections(), 1);
  assert.ok(ms >= 245 && ms < 2_000, `${ms} ms`);
});
