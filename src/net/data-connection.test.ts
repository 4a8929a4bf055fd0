import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, createConnection, createServer } from "node:net";
import { test } from "node:test";
import { DataConnection, DataError } from "./data-connection.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { Throttle } from "./throttle.ts";

type Pair = AsyncDisposable & { readonly ours: Socket; readonly theirs: Socket };

async function pair(): Promise<Pair> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const theirs = createConnection({ port: address.port, host: "127.0.0.1", allowHalfOpen: true });
  theirs.on("error", () => {});
  const [ours]: Socket[] = await once(server, "connection");
  assert.ok(ours !== undefined);
  if (theirs.connecting) await once(theirs, "connect");
  return {
    ours,
    theirs,
    async [Symbol.asyncDispose]() {
      ours.destroy();
      theirs.destroy();
      server.close();
    },
  };
}

const PATIENT = { stallMs: 20_000, signal: new AbortController().signal };

async function collect(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

test("a download arrives whole, and its end is our FIN", async () => {
  await using sockets = await pair();
  const content = Buffer.alloc(5_000_000, "0123456789");
  const received = collect(sockets.theirs);
  await using connection = new DataConnection({ socket: sockets.ours }, PATIENT);
  for (let at = 0; at < content.length; at += 1_000_000) await connection.send(content.subarray(at, at + 1_000_000));
  await connection.finish();
  assert.ok((await received).equals(content));
});

test("a peer that half-closes first still gets the whole download", async () => {
  await using sockets = await pair();
  sockets.theirs.end();
  const received = collect(sockets.theirs);
  await using connection = new DataConnection({ socket: sockets.ours }, PATIENT);
  const content = Buffer.alloc(3_000_000, "x");
  await connection.send(content);
  await connection.finish();
  assert.equal((await received).length, content.length);
});

test("an upload ends at the peer's FIN, with every octet", async () => {
  await using sockets = await pair();
  await using connection = new DataConnection({ socket: sockets.ours }, PATIENT);
  const content = Buffer.alloc(4_000_000, "abc");
  sockets.theirs.end(content);
  const chunks: Buffer[] = [];
  for (;;) {
    const some = await connection.receive();
    if (some.length === 0) break;
    chunks.push(Buffer.concat(some));
  }
  assert.ok(Buffer.concat(chunks).equals(content));
});

test("an upload that ends by a reset is no upload (attack 14, clear text)", async () => {
  await using sockets = await pair();
  await using connection = new DataConnection({ socket: sockets.ours }, PATIENT);
  sockets.theirs.write("half of a fi");
  const [first] = await connection.receive();
  assert.equal(String(first), "half of a fi");
  sockets.theirs.resetAndDestroy();
  await assert.rejects(
    async () => {
      while ((await connection.receive()).length > 0);
    },
    (error) => error instanceof DataError && error.fault === "reset",
  );
});

test("a peer that stops moving octets is told apart as stalled", async () => {
  await using sockets = await pair();
  const { signal } = new AbortController();
  await using connection = new DataConnection({ socket: sockets.ours }, { stallMs: 50, signal });
  await assert.rejects(connection.receive(), (error) => error instanceof DataError && error.fault === "stalled");
});

test("an abort ends a send that waits for a peer that does not read", async () => {
  await using sockets = await pair();
  const controller = new AbortController();
  await using connection = new DataConnection({ socket: sockets.ours }, { stallMs: 20_000, signal: controller.signal });
  const sending = (async () => {
    for (;;) await connection.send(Buffer.alloc(4_000_000));
  })();
  const failed = assert.rejects(sending, (error) => error instanceof DataError && error.fault === "aborted");
  controller.abort();
  await failed;
});

for (const { memory, bound } of [{ bound: 2_000_000 }, { memory: 65_536, bound: 300_000 }]) {
  test(`memory is bounded: a peer that sends faster than we store is paused (${memory ?? "default"})`, async () => {
    await using sockets = await pair();
    const terms = memory === undefined ? PATIENT : { ...PATIENT, memory };
    await using connection = new DataConnection({ socket: sockets.ours }, terms);
    sockets.theirs.end(Buffer.alloc(64_000_000));
    let most = 0;
    let total = 0;
    for (;;) {
      const chunks = await connection.receive();
      if (chunks.length === 0) break;
      const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      most = Math.max(most, size);
      total += size;
      // The disk is slow: everything that may arrive meanwhile arrives.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
    assert.equal(total, 64_000_000);
    assert.ok(most < bound, `${most} octets at once`);
  });
}

function heldTo(rate: number): Throttle {
  return new Throttle([new RateLimiter(rate)]);
}

test("a throttle slices what is sent, and tells of each slice", async () => {
  await using sockets = await pair();
  const received = collect(sockets.theirs);
  await using connection = new DataConnection({ socket: sockets.ours }, { ...PATIENT, throttle: heldTo(100_000) });
  const content = Buffer.alloc(10_000, "0123456789");
  const moved: number[] = [];
  await connection.send(content, (octets) => moved.push(octets));
  await connection.finish();
  assert.ok((await received).equals(content));
  assert.ok(moved.length >= 5 && Math.max(...moved) <= 2_000, moved.join());
  assert.equal(
    moved.reduce((sum, octets) => sum + octets),
    10_000,
  );
});

test("an upload is read no further ahead of its throttle than two reads of Node, then TCP slows the peer", async () => {
  await using sockets = await pair();
  await using connection = new DataConnection({ socket: sockets.ours }, { ...PATIENT, throttle: heldTo(20_000) });
  sockets.theirs.end(Buffer.alloc(16_000_000));
  let total = 0;
  for (const started = performance.now(); performance.now() - started < 300;) {
    for (const chunk of await connection.receive()) total += chunk.length;
    assert.ok(sockets.ours.bytesRead - total <= 2 * 65_536, `${sockets.ours.bytesRead - total} octets ahead`);
  }
  assert.ok(total > 1_000 && total < 9_000, `${total} octets`);
});

test("a throttled upload is whole, its end too", async () => {
  await using sockets = await pair();
  await using connection = new DataConnection({ socket: sockets.ours }, { ...PATIENT, throttle: heldTo(20_000_000) });
  const content = Buffer.alloc(4_000_000, "abcdefg");
  sockets.theirs.end(content);
  const chunks: Buffer[] = [];
  for (;;) {
    const some = await connection.receive();
    if (some.length === 0) break;
    chunks.push(...some);
  }
  assert.ok(Buffer.concat(chunks).equals(content));
});

test("a wait for the throttle is no stall, and a reset of the peer ends it", async () => {
  await using sockets = await pair();
  const { signal } = new AbortController();
  const limiter = new RateLimiter(5);
  await using connection = new DataConnection(
    { socket: sockets.ours },
    { stallMs: 50, signal, throttle: new Throttle([limiter]) },
  );
  await connection.send(Buffer.from("ab"));
  // The next turn would come after 10 s.
  limiter.setRate(0.1);
  const started = performance.now();
  const sending = assert.rejects(
    connection.send(Buffer.alloc(100)),
    (error) => error instanceof DataError && error.fault === "reset",
  );
  sockets.theirs.resetAndDestroy();
  await sending;
  assert.ok(performance.now() - started < 5_000);
  assert.equal(limiter.waiting, 0);
});

test("a throttle that limits nothing changes nothing", async () => {
  await using sockets = await pair();
  const throttle = new Throttle([new RateLimiter(undefined)]);
  await using connection = new DataConnection({ socket: sockets.ours }, { ...PATIENT, throttle });
  const moved: number[] = [];
  const received = collect(sockets.theirs);
  await connection.send(Buffer.alloc(1_000_000), (octets) => moved.push(octets));
  await connection.finish();
  await received;
  assert.deepEqual(moved, [1_000_000]);
});
