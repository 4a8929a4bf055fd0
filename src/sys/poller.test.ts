/** What waits is told once or again and again, in order of what the kernel says; what was stopped hears nothing. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { loadDataCalls } from "./data-calls.ts";

const calls = loadDataCalls();
const skip = calls === undefined ? "no native calls on this host" : false;

const folder = mkdtempSync(join(tmpdir(), "ferryman-poller-"));
after(() => rmSync(folder, { recursive: true }));
let made = 0;

/** A pipe whose ends are watched and closed in the right order. */
function pipe(): { readonly reading: number; readonly writing: number } & Disposable {
  made += 1;
  const path = join(folder, String(made));
  execFileSync("mkfifo", [path]);
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  return {
    reading,
    writing,
    [Symbol.dispose]: () => {
      closeSync(reading);
      closeSync(writing);
    },
  };
}

test("once: called when there is something, and not again for what came later", { skip }, async () => {
  assert.ok(calls !== undefined);
  using ends = pipe();
  using watch = calls.watch(ends.reading);
  let count = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  watch.once("readable", () => {
    count++;
    resolve();
  });
  await turn();
  assert.equal(count, 0);
  calls.write(ends.writing, Buffer.from("a"), 1);
  await promise;
  calls.write(ends.writing, Buffer.from("b"), 1);
  for (let turns = 0; turns < 5; turns++) await turn();
  assert.equal(count, 1);
  const again = Promise.withResolvers<void>();
  watch.once("readable", again.resolve);
  // What lies there from before counts: a wait is for a state, not for a change.
  await again.promise;
});

test(
  "always: called as long as there is something, until it is stopped; then once more by another wait",
  { skip },
  async () => {
    assert.ok(calls !== undefined);
    using ends = pipe();
    using watch = calls.watch(ends.reading);
    calls.write(ends.writing, Buffer.from("a"), 1);
    let count = 0;
    const thrice = Promise.withResolvers<void>();
    watch.always("readable", () => {
      if (++count === 3) thrice.resolve();
    });
    await thrice.promise;
    watch.stop();
    const before = count;
    for (let turns = 0; turns < 5; turns++) await turn();
    assert.equal(count, before);
    const again = Promise.withResolvers<void>();
    watch.once("readable", again.resolve);
    await again.promise;
  },
);

test("a number that was closed and given to another is that one's alone", { skip }, async () => {
  assert.ok(calls !== undefined);
  let stale = 0;
  for (let round = 0; round < 20; round++) {
    using ends = pipe();
    const watch = calls.watch(ends.reading);
    const { promise, resolve } = Promise.withResolvers<void>();
    calls.write(ends.writing, Buffer.from("a"), 1);
    watch.once("readable", resolve);
    await promise;
    // Waits for what will not come, and is closed by its owner meanwhile.
    const unread = calls.watch(ends.writing);
    unread.once("readable", () => stale++);
    unread[Symbol.dispose]();
    watch[Symbol.dispose]();
  }
  await turn();
  assert.equal(stale, 0);
});

test("what cannot be watched is told of at once: the next call of it meets the fault", { skip }, async () => {
  assert.ok(calls !== undefined);
  const ends = pipe();
  const { reading } = ends;
  ends[Symbol.dispose]();
  const { promise, resolve } = Promise.withResolvers<void>();
  calls.watch(reading).once("readable", resolve);
  await promise;
});

test("many at once: each hears of its own", { skip }, async () => {
  assert.ok(calls !== undefined);
  const all = Array.from({ length: 150 }, pipe);
  const heard = all.map(async ({ reading, writing }, at) => {
    using watch = calls.watch(reading);
    const { promise, resolve } = Promise.withResolvers<void>();
    watch.once("readable", resolve);
    if (at % 2 === 0) calls.write(writing, Buffer.from("a"), 1);
    else setImmediate(() => calls.write(writing, Buffer.from("a"), 1));
    await promise;
    return at;
  });
  assert.deepEqual(
    await Promise.all(heard),
    all.map((_, at) => at),
  );
  for (const ends of all) ends[Symbol.dispose]();
});
