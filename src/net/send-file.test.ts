import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ELSEWHERE_MOST } from "./limits.ts";
import { BIG, OpenFile, bigPath, collect, isFault, pair, real, skip } from "./test-native.ts";

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
