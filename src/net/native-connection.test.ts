import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { UPLOAD_BUFFERS_AT_ONCE } from "./limits.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { Throttle } from "./throttle.ts";
import {
  BIG,
  OpenFile,
  bigPath,
  collect,
  folder,
  isFault,
  newFile,
  pair,
  real,
  receiveAll,
  skip,
} from "./test-native.ts";

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

test("any span of a file arrives octet for octet, and is counted", { skip }, async () => {
  const near = fc.constantFrom(0, 1, 4_095, 4_097, 65_535, 65_536, 65_537, 1_048_576, 1_048_577, 5_000_003, BIG.length);
  await fc.assert(
    fc.asyncProperty(near, near, async (one, other) => {
      const [start, end] = [Math.min(one, other), Math.max(one, other)];
      await using sockets = await pair();
      using file = new OpenFile(bigPath, "r");
      const received = collect(sockets.theirs);
      let counted = 0;
      const reached = await sockets.ours.sendFile(file.descriptor, { start, end }, (octets) => {
        counted += octets;
      });
      await sockets.ours.finish();
      assert.equal(reached, end);
      assert.equal(counted, end - start);
      assert.ok((await received).equals(BIG.subarray(start, end)));
    }),
    { numRuns: 40 },
  );
});

/** As long as a thread of the pool waits for its disk. */
const slowly = async <Result>(call: () => Promise<Result>): Promise<Result> => {
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
  return call();
};

test("a slow disk holds up the transfer and not the event loop", { skip }, async () => {
  const longest = watchLoop();
  await using down = await pair(
    {},
    {
      readIfInMemory: () => -1,
      warmth: () => "cold",
      sendFileElsewhere: async (...call) => slowly(async () => real().sendFileElsewhere(...call)),
    },
  );
  using file = new OpenFile(bigPath, "r");
  const received = collect(down.theirs);
  await down.ours.sendFile(file.descriptor, { start: 0, end: 4_000_000 }, () => {});
  await down.ours.finish();
  assert.ok((await received).equals(BIG.subarray(0, 4_000_000)));
  await using up = await pair(
    {},
    { writeElsewhere: async (...call) => slowly(async () => real().writeElsewhere(...call)) },
  );
  using target = newFile();
  up.theirs.end(BIG.subarray(0, 4_000_000));
  await receiveAll(up.ours, target);
  assert.ok(readFileSync(target.path).equals(BIG.subarray(0, 4_000_000)));
  assert.ok(longest() < 200, `${longest()} ms without a turn of the loop`);
});

/** @returns what tells the longest time between two turns of the loop since, in milliseconds. */
function watchLoop(): () => number {
  let [last, longest] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

test("without a free buffer of the native path an upload goes the plain way", { skip }, async () => {
  await using up = await pair();
  const buffers = Array.from({ length: UPLOAD_BUFFERS_AT_ONCE + 1 }, () => up.ours.buffers.borrow());
  assert.equal(buffers.at(-1), undefined);
  assert.equal(buffers.filter((buffer) => buffer !== undefined).length, UPLOAD_BUFFERS_AT_ONCE);
  try {
    using target = newFile();
    up.theirs.end(BIG);
    await receiveAll(up.ours, target);
    assert.ok(readFileSync(target.path).equals(BIG));
  } finally {
    for (const buffer of buffers) buffer?.[Symbol.dispose]();
  }
});

test("a file goes out by sendfile from any place on", { skip }, async () => {
  let sent = 0;
  await using down = await pair(
    {},
    {
      sendFile: (...call) => {
        sent += 1;
        return real().sendFile(...call);
      },
    },
  );
  using file = new OpenFile(bigPath, "r");
  const received = collect(down.theirs);
  assert.equal(await down.ours.sendFile(file.descriptor, { start: 3, end: BIG.length }, () => {}), BIG.length);
  await down.ours.finish();
  assert.ok((await received).equals(BIG.subarray(3)));
  assert.ok(sent > 0);
});

test("an upload is in the file octet for octet, however it comes", { skip }, async () => {
  const sizes = fc.constantFrom(0, 1, 1_024, 131_071, 131_072, 131_073, 1_500_000, BIG.length);
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1_000, max: 3_000_000 }), async (size, piece) => {
      await using sockets = await pair();
      using file = newFile();
      const receiving = receiveAll(sockets.ours, file);
      for (let at = 0; at < size; at += piece) sockets.theirs.write(BIG.subarray(at, Math.min(at + piece, size)));
      sockets.theirs.end();
      await receiving;
      assert.ok(readFileSync(file.path).equals(BIG.subarray(0, size)));
    }),
    { numRuns: 25 },
  );
});

test("what a full disk does not take comes back whole, for the plain way to name the fault", { skip }, async () => {
  for (const size of [1_000, 3_000_000]) {
    await using sockets = await pair();
    using file = new OpenFile("/dev/full", "w");
    sockets.theirs.end(BIG.subarray(0, size));
    const rest = await sockets.ours.receiveFile(file.descriptor, () => {});
    assert.ok(rest !== "end");
    const octets = Buffer.concat(rest);
    assert.ok(octets.length > 0 && octets.equals(BIG.subarray(0, octets.length)));
  }
});

test("a file that cannot be read, or is shorter than it was, ends short of the span", { skip }, async () => {
  await using sockets = await pair();
  using cannot = new OpenFile(join(folder, "write-only"), "w");
  assert.equal(await sockets.ours.sendFile(cannot.descriptor, { start: 0, end: 100 }, () => {}), 0);
  assert.equal(await sockets.ours.sendFile(cannot.descriptor, { start: 0, end: 3_000_000 }, () => {}), 0);
  using short = new OpenFile(bigPath, "r");
  const received = collect(sockets.theirs);
  const span = { start: BIG.length - 10, end: BIG.length + 5_000_000 };
  assert.equal(await sockets.ours.sendFile(short.descriptor, span, () => {}), BIG.length);
  await sockets.ours.finish();
  assert.ok((await received).equals(BIG.subarray(-10)));
});

test("a reset is a reset, in both directions, and leaves no descriptor", { skip }, async () => {
  const warm = await pair();
  await warm[Symbol.asyncDispose]();
  const before = openDescriptors();
  {
    await using sockets = await pair();
    using file = newFile();
    const receiving = receiveAll(sockets.ours, file);
    sockets.theirs.write(BIG.subarray(0, 500_000), () => sockets.theirs.resetAndDestroy());
    await assert.rejects(receiving, isFault("reset"));
  }
  {
    await using sockets = await pair();
    using file = new OpenFile(bigPath, "r");
    const sending = sockets.ours.sendFile(file.descriptor, { start: 0, end: BIG.length }, () => {});
    sockets.theirs.once("readable", () => sockets.theirs.resetAndDestroy());
    await assert.rejects(sending, isFault("reset"));
  }
  // The passive port of each pair stays open for the next lease.
  assert.ok(openDescriptors() <= before + 2, `${openDescriptors()} after ${before}`);
});

test("an abort ends a transfer that waits, and the peer sees a reset", { skip }, async () => {
  for (const direction of ["send", "receive"] as const) {
    const controller = new AbortController();
    await using sockets = await pair({ signal: controller.signal });
    using file = direction === "send" ? new OpenFile(bigPath, "r") : newFile();
    const running =
      direction === "send"
        ? sockets.ours.sendFile(file.descriptor, { start: 0, end: BIG.length }, () => {})
        : receiveAll(sockets.ours, file);
    const reset = once(sockets.theirs, "error");
    setImmediate(() => controller.abort());
    await assert.rejects(running, isFault("aborted"));
    if (direction === "send") sockets.theirs.resume();
    const [error]: unknown[] = await reset;
    assert.ok(error instanceof Error && "code" in error && error.code === "ECONNRESET");
  }
});

test("attack 54: a peer that takes or sends nothing is stalled (native path)", { skip }, async () => {
  await using down = await pair({ stallMs: 50 });
  using file = new OpenFile(bigPath, "r");
  await assert.rejects(
    down.ours.sendFile(file.descriptor, { start: 0, end: BIG.length }, () => {}),
    isFault("stalled"),
  );
  await using up = await pair({ stallMs: 50 });
  using target = newFile();
  await assert.rejects(
    up.ours.receiveFile(target.descriptor, () => {}),
    isFault("stalled"),
  );
});

test("a throttle holds a file to its rate, and an upload goes the way that can be held", { skip }, async () => {
  const throttle = new Throttle([new RateLimiter(4_000_000)]);
  await using down = await pair({ throttle });
  using file = new OpenFile(bigPath, "r");
  const received = collect(down.theirs);
  const begun = performance.now();
  const steps: number[] = [];
  await down.ours.sendFile(file.descriptor, { start: 0, end: 1_000_000 }, (octets) => steps.push(octets));
  // Evenly, and not saved up: 7 % of a second at once is the most that the limiter lets pass.
  assert.ok(Math.max(...steps) <= 280_000, `${Math.max(...steps)} octets at once`);
  await down.ours.finish();
  assert.ok((await received).equals(BIG.subarray(0, 1_000_000)));
  const seconds = (performance.now() - begun) / 1000;
  assert.ok(seconds > 0.15, `${seconds} s for a quarter of a second's octets`);
  await using up = await pair({ throttle });
  using target = newFile();
  up.theirs.end(BIG.subarray(0, 1_000));
  assert.deepEqual(await up.ours.receiveFile(target.descriptor, () => {}), []);
  assert.ok(Buffer.concat(await up.ours.receive()).equals(BIG.subarray(0, 1_000)));
});

test("buffers go both ways, and a client that sends on a download still gets all of it", { skip }, async () => {
  await using sockets = await pair();
  sockets.theirs.write("not expected here");
  const received = collect(sockets.theirs);
  await sockets.ours.send(BIG);
  await sockets.ours.finish();
  await sockets.ours[Symbol.asyncDispose]();
  assert.ok((await received).equals(BIG));
});

test("a client that sends something after the end of a download still gets all of it", { skip }, async () => {
  for (const pause of [0, 20]) {
    await using sockets = await pair();
    using file = new OpenFile(bigPath, "r");
    const [chunks, ended] = [new Array<Buffer>(), once(sockets.theirs, "end")];
    await sockets.ours.sendFile(file.descriptor, { start: 0, end: 700_000 }, () => {});
    await sockets.ours.finish();
    await sockets.ours[Symbol.asyncDispose]();
    // It has read nothing so far: most of it lies in the kernels.
    sockets.theirs.write("what it should not send");
    await new Promise((resolve) => {
      setTimeout(resolve, pause);
    });
    sockets.theirs.on("data", (chunk: Buffer) => chunks.push(chunk));
    await ended;
    assert.ok(Buffer.concat(chunks).equals(BIG.subarray(0, 700_000)));
  }
});
