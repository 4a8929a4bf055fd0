/** The tap between TCP and TLS: what it passes, what it keeps back, and how it is taken off. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import fc from "fast-check";
import { TlsTap } from "./tap.ts";
import { connected } from "./test-sockets.ts";

function record(type: number, length: number): Buffer {
  const header = Buffer.from([type, 3, 3, length >> 8, length & 255]);
  return Buffer.concat([header, Buffer.alloc(length, 7)]);
}

test("the end of TCP is told by `cut`, and is no end of the stream", async () => {
  using pair = await connected();
  const tap = new TlsTap(pair.server);
  let ended = false;
  tap.on("end", () => (ended = true));
  const chunks: Buffer[] = [];
  tap.on("data", (chunk: Buffer) => chunks.push(chunk));
  const cut = new Promise<void>((resolve) => tap.onCut(resolve));
  pair.client.end("octets");
  await cut;
  assert.equal(tap.cut, true);
  assert.equal(await tap.quiet(() => false), true);
  assert.equal(Buffer.concat(chunks).toString(), "octets");
  assert.equal(ended, false);
  let late = false;
  tap.onCut(() => (late = true));
  assert.equal(late, true, "who asks late is told at once");
  tap.destroy();
  assert.equal(pair.server.destroyed, true);
});

test("quiet ends when its caller says so, and a listener can be taken away", async () => {
  using pair = await connected();
  const tap = new TlsTap(pair.server);
  let told = false;
  tap.onCut(() => (told = true))();
  assert.equal(await tap.quiet(() => true), false);
  const seen = new Promise<void>((resolve) => tap.onCut(resolve));
  tap.resume();
  pair.client.end();
  await seen;
  assert.equal(told, false);
  tap.destroy();
});

test("records go to the engine and text to the rest, however both are cut", async () => {
  const kinds = fc.array(fc.tuple(fc.constantFrom(20, 21, 22, 23), fc.integer({ min: 0, max: 400 })), { maxLength: 5 });
  const text = fc.constantFrom("", "PWD\r\n", "USER ann\r\nPASS x\r\n", "\xff\xf4\xff\xf2ABOR\r\n");
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(kinds, text, cuts, async (records, rest, sizes) => {
      const wire = Buffer.concat(records.map(([type, length]) => record(type, length)));
      const all = Buffer.concat([wire, Buffer.from(rest, "latin1")]);
      using pair = await connected();
      const tap = new TlsTap(pair.server);
      const engine: Buffer[] = [];
      const clear: Buffer[] = [];
      tap.on("data", (chunk: Buffer) => engine.push(chunk));
      tap.detach((first) => {
        clear.push(first);
        pair.server.on("data", (chunk: Buffer) => clear.push(chunk));
      });
      const ended = once(pair.server, "end");
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        pair.client.write(all.subarray(at, at + size));
        at += size;
        await new Promise(setImmediate);
      }
      pair.client.end();
      pair.server.resume();
      await ended;
      await tap.quiet(() => false);
      assert.deepEqual(Buffer.concat(engine), wire);
      assert.equal(Buffer.concat(clear).toString("latin1"), rest);
    }),
    { numRuns: 60 },
  );
});

test("a detached tap leaves no listener on the socket, and neither ends nor destroys it", async () => {
  using pair = await connected();
  const counts = (): number[] => ["data", "end", "error", "close"].map((name) => pair.server.listenerCount(name));
  const before = counts();
  const tap = new TlsTap(pair.server);
  tap.resume();
  const left = new Promise<void>((resolve) => tap.detach(() => resolve()));
  pair.client.write("text");
  await left;
  tap.end();
  tap.destroy();
  assert.deepEqual(counts(), before);
  assert.equal(pair.server.destroyed, false);
  pair.server.write("still there");
  const [answer]: Buffer[] = await once(pair.client, "data");
  assert.equal(answer?.toString(), "still there");
});
