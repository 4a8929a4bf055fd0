import assert from "node:assert/strict";
import { once } from "node:events";
import { truncateSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ELSEWHERE_MOST } from "./limits.ts";
import { BIG, OpenFile, bigPath, collect, folder, isFault, pair, real, skip } from "./test-native.ts";

test("a file whose octets are not in memory is read on another thread", { skip }, async () => {
  const elsewhere: number[] = [];
  await using sockets = await pair(
    {},
    {
      readIfInMemory: () => -1,
      warmth: () => "cold",
      sendFile: () => assert.fail("it may wait for the disk"),
      sendFileElsewhere: async (socket, from, range) => {
        elsewhere.push(range.length);
        return real().sendFileElsewhere(socket, from, range);
      },
    },
  );
  using file = new OpenFile(bigPath, "r");
  const received = collect(sockets.theirs);
  assert.equal(await sockets.ours.sendFile(file.descriptor, { start: 7, end: BIG.length }, () => {}), BIG.length);
  await sockets.ours.finish();
  assert.ok((await received).equals(BIG.subarray(7)));
  assert.ok(elsewhere.length > 2 && elsewhere.every((length) => length <= ELSEWHERE_MOST), elsewhere.join());
});

test("while another thread uses the descriptor it stays open, whatever happens", { skip }, async () => {
  const controller = new AbortController();
  const closed: number[] = [];
  const under = Promise.withResolvers<number>();
  const begun = Promise.withResolvers<void>();
  await using sockets = await pair(
    { signal: controller.signal },
    {
      warmth: () => "cold",
      close: (descriptor) => {
        closed.push(descriptor);
        real().close(descriptor);
      },
      sendFileElsewhere: async () => {
        begun.resolve();
        return under.promise;
      },
    },
  );
  using file = new OpenFile(bigPath, "r");
  const sending = sockets.ours.sendFile(file.descriptor, { start: 0, end: BIG.length }, () => {});
  await begun.promise;
  controller.abort();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  assert.deepEqual(closed, []);
  const reset = once(sockets.theirs, "error");
  under.resolve(-1);
  await assert.rejects(sending, isFault("aborted"));
  await reset;
  assert.deepEqual(closed, [sockets.ours.descriptor]);
});

/** Takes the first octets as they come, and then a little now and then. Call `stop` in the end. */
function dribble(socket: Socket, fastOctets: number): { readonly slow: Promise<void>; readonly stop: () => void } {
  let taken = 0;
  const slow = Promise.withResolvers<void>();
  let ticks = 0;
  let timer: NodeJS.Timeout | undefined;
  let until = fastOctets;
  socket.on("data", (chunk: Buffer) => {
    taken += chunk.length;
    if (taken < until) return;
    socket.pause();
    timer ??= setInterval(() => {
      until = taken + 1_048_576;
      socket.resume();
      if ((ticks += 1) === 4) slow.resolve();
    }, 15);
  });
  const stop = (): void => {
    clearInterval(timer);
    until = Number.POSITIVE_INFINITY;
    socket.resume();
  };
  return { slow: slow.promise, stop };
}

test(
  "a thread that waits for a client who takes little is given back at once when the transfer is aborted",
  { skip },
  async () => {
    const controller = new AbortController();
    await using sockets = await pair({ signal: controller.signal });
    const path = join(folder, "sparse");
    writeFileSync(path, "");
    truncateSync(path, 4_294_967_296);
    using file = new OpenFile(path, "r");
    const client = dribble(sockets.theirs, 536_870_912);
    const sending = sockets.ours.sendFile(file.descriptor, { start: 0, end: 4_294_967_296 }, () => {});
    sending.catch(() => {});
    await client.slow;
    const reset = once(sockets.theirs, "error");
    const begun = performance.now();
    controller.abort();
    await assert.rejects(sending, isFault("aborted"));
    const took = performance.now() - begun;
    client.stop();
    sockets.theirs.resume();
    await reset;
    // What was left would have taken it a minute.
    assert.ok(took < 500, `${took} ms`);
  },
);
