import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import { type Clock, RateLimiter } from "./rate-limiter.ts";
import { Throttle } from "./throttle.ts";

const KIB = 1_024;
const MIB = KIB * KIB;
const NEVER = new AbortController().signal;

/** Time that passes when the test says so; each timer's continuations run before the next timer. */
class VirtualClock implements Clock {
  #now = 0;
  readonly #lateness: () => number;
  readonly #timers = new Set<{ readonly at: number; readonly act: () => void }>();

  /** @param lateness milliseconds by which the next timer comes too late. */
  constructor(lateness: () => number = () => 0) {
    this.#lateness = lateness;
  }

  readonly now = (): number => this.#now;

  readonly after = (milliseconds: number, act: () => void): (() => void) => {
    const timer = { at: this.#now + milliseconds + this.#lateness(), act };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers(): number {
    return this.#timers.size;
  }

  async run(until: number): Promise<void> {
    await nextTurn();
    for (;;) {
      const [next] = [...this.#timers].toSorted((left, right) => left.at - right.at);
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
      await nextTurn();
    }
    this.#now = until;
  }
}

type Move = { readonly at: number; readonly octets: number };
type Flow = { readonly moves: Move[]; readonly stop: () => void };

/** Moves as much as it may, `wanted` octets asked for at a time. */
function flow(throttle: Throttle, clock: Clock, wanted = 256 * KIB): Flow {
  const moves: Move[] = [];
  const controller = new AbortController();
  const run = async (): Promise<void> => {
    for (;;) {
      const octets = await throttle.take(wanted, controller.signal);
      moves.push({ at: clock.now(), octets });
    }
  };
  run().catch((error: unknown) => assert.ok(controller.signal.aborted, String(error)));
  return { moves, stop: () => controller.abort() };
}

function sum(moves: readonly Move[], from = 0, to = Infinity): number {
  return moves.reduce((total, { at, octets }) => (at >= from && at < to ? total + octets : total), 0);
}

/** The most octets in any window of one second, ends included. */
function mostInASecond(moves: readonly Move[]): number {
  const sorted = moves.toSorted((left, right) => left.at - right.at);
  let most = 0;
  let inside = 0;
  let first = 0;
  for (const { at, octets } of sorted) {
    inside += octets;
    for (let oldest = sorted[first]; oldest !== undefined && oldest.at < at - 1000; oldest = sorted[first]) {
      inside -= oldest.octets;
      first += 1;
    }
    most = Math.max(most, inside);
  }
  return most;
}

for (const rate of [KIB, 10 * KIB, 333_333.3, MIB, 100 * MIB, 10 * KIB * MIB]) {
  test(`${rate} octets a second: 110 % in no second, 95 % over five, at the start and after a pause too`, async () => {
    const clock = new VirtualClock();
    const throttle = new Throttle([new RateLimiter(rate, clock)]);
    const first = flow(throttle, clock, 1_048_576);
    await clock.run(5_000);
    first.stop();
    await clock.run(15_000);
    const second = flow(throttle, clock, 1_048_576);
    await clock.run(20_000);
    second.stop();
    for (const moves of [first.moves, second.moves]) {
      assert.ok(sum(moves) >= 0.95 * 5 * rate, `${sum(moves) / 5 / rate} of the rate`);
      assert.ok(mostInASecond(moves) <= 1.1 * rate, `${mostInASecond(moves) / rate} of the rate`);
    }
    await nextTurn();
    assert.equal(clock.timers, 0);
  });
}

test("timers that are up to 45 ms late cost nothing", async () => {
  let step = 0;
  const clock = new VirtualClock(() => (step++ * 7) % 46);
  const { moves } = flow(new Throttle([new RateLimiter(MIB, clock)]), clock);
  await clock.run(5_000);
  assert.ok(sum(moves) >= 0.95 * 5 * MIB, `${sum(moves) / 5 / MIB} of the rate`);
  assert.ok(mostInASecond(moves) <= 1.1 * MIB);
});

test("whatever the chain and the sharers are, no limiter lets more than 110 % pass in a second", async () => {
  const rates = fc.integer({ min: KIB, max: 4 * MIB });
  const sharers = fc.array(
    fc.record({ own: fc.option(rates), account: fc.nat(2), wanted: fc.integer({ min: 1, max: MIB }) }),
    { minLength: 1, maxLength: 12 },
  );
  const accountRates = fc.tuple(fc.option(rates), fc.option(rates), fc.option(rates));
  await fc.assert(
    fc.asyncProperty(rates, accountRates, sharers, async (serverRate, accounts, list) => {
      const clock = new VirtualClock();
      const limiterOf = (rate: number | null): RateLimiter => new RateLimiter(rate ?? undefined, clock);
      const server = limiterOf(serverRate);
      const shared = accounts.map(limiterOf);
      const flows = list.map(({ own, account, wanted }) => {
        const limiters = [limiterOf(own), shared[account] ?? server, server];
        // One octet at a time is right too, but simulates slowly.
        return { own, account, ...flow(new Throttle(limiters), clock, wanted + 500) };
      });
      await clock.run(2_000);
      for (const { stop } of flows) stop();
      await nextTurn();
      assert.equal(clock.timers, 0);
      assert.ok(mostInASecond(flows.flatMap(({ moves }) => moves)) <= 1.1 * serverRate, "server");
      for (const { own, moves } of flows) assert.ok(own === null || mostInASecond(moves) <= 1.1 * own, "session");
      for (const [at, rate] of accounts.entries()) {
        const moves = flows.filter(({ account }) => account === at).flatMap((each) => each.moves);
        assert.ok(rate === null || mostInASecond(moves) <= 1.1 * rate, "account");
      }
    }),
    { numRuns: 25 },
  );
});

test("sharers get equal parts, however large their turns are", async () => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(MIB, clock);
  const flows = [700, 5_000, 64 * KIB, MIB].map((wanted) => flow(new Throttle([limiter]), clock, wanted));
  await clock.run(5_000);
  for (const { moves } of flows) {
    const part = sum(moves) / (5 * MIB);
    assert.ok(part > 0.23 && part < 0.27, `a part of ${part}`);
  }
});

test("what one does not use the others get", async () => {
  const clock = new VirtualClock();
  const server = new RateLimiter(MIB, clock);
  const slow = flow(new Throttle([new RateLimiter(100 * KIB, clock), server]), clock);
  const others = [1, 2, 3].map(() => flow(new Throttle([server]), clock));
  await clock.run(5_000);
  assert.ok(sum(slow.moves) >= 0.95 * 500 * KIB, `${sum(slow.moves)} octets of the slow one`);
  const rest = (5 * MIB - 500 * KIB) / 3;
  for (const { moves } of others) assert.ok(Math.abs(sum(moves) / rest - 1) < 0.05, `${sum(moves) / rest} of its part`);
});

test("parts are made anew as transfers begin and end, within a second", async () => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(MIB, clock);
  const first = flow(new Throttle([limiter]), clock);
  await clock.run(2_000);
  const second = flow(new Throttle([limiter]), clock);
  await clock.run(4_000);
  second.stop();
  await clock.run(6_000);
  assert.ok(sum(first.moves, 1_000, 2_000) >= 0.95 * MIB);
  assert.ok(Math.abs(sum(second.moves, 2_000, 4_000) / MIB - 1) < 0.05);
  assert.ok(sum(first.moves, 5_000, 6_000) >= 0.95 * MIB);
});

test("what a wider limit held up does not come in one burst when that is lifted", async () => {
  const clock = new VirtualClock();
  const [account, server] = [new RateLimiter(50_000, clock), new RateLimiter(0.001, clock)];
  const flows = Array.from({ length: 20 }, () => flow(new Throttle([account, server]), clock));
  await clock.run(3_000);
  server.setRate(undefined);
  await clock.run(8_000);
  const moves = flows.flatMap((each) => each.moves);
  assert.ok(mostInASecond(moves) <= 1.1 * 50_000, `${mostInASecond(moves) / 50_000} of the rate`);
  assert.ok(sum(moves) >= 0.95 * 5 * 50_000, `${sum(moves) / 250_000} of the rate`);
  for (const { stop } of flows) stop();
});

test("one who waits is not overtaken for ever by others who come anew each time", async () => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(100 * KIB, clock);
  const old = flow(new Throttle([limiter]), clock);
  await clock.run(1_000);
  const newcomer = async (): Promise<void> => {
    while (clock.now() < 6_000) await new Throttle([limiter]).take(50 * KIB, NEVER);
  };
  const crowd = [1, 2, 3].map(newcomer);
  await clock.run(6_000);
  const part = sum(old.moves, 1_000) / (500 * KIB);
  assert.ok(part > 0.15, `the one who was there got ${part}`);
  await clock.run(7_000);
  await Promise.all(crowd);
  old.stop();
});

test("a thousand sessions share 1 MiB/s in turns worth a write, and none is left out", async () => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(MIB, clock);
  const flows = Array.from({ length: 1_000 }, () => flow(new Throttle([limiter]), clock));
  await clock.run(10_000);
  for (const { moves } of flows) {
    assert.ok(sum(moves) >= 4_096, `${sum(moves)} octets`);
    for (const { octets } of moves) assert.ok(octets >= 4_096, `a turn of ${octets}`);
  }
  for (const { stop } of flows) stop();
});

test("a rate may change while transfers wait: they go on with the new one, and no change brings a burst", async () => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(1, clock);
  const throttle = new Throttle([limiter]);
  const { moves, stop } = flow(throttle, clock);
  await clock.run(1_500);
  assert.equal(sum(moves), 1);
  limiter.setRate(MIB);
  await clock.run(3_000);
  assert.ok(sum(moves) >= 0.95 * 1.5 * MIB);
  for (let at = 3_000; at < 5_000; at += 10) {
    limiter.setRate(at % 20 === 0 ? 1.01 * MIB : MIB);
    await clock.run(at + 10);
  }
  assert.ok(mostInASecond(moves) <= 1.11 * MIB, `${mostInASecond(moves) / MIB}`);
  assert.ok(sum(moves, 3_000, 5_000) >= 0.95 * 2 * MIB);
  limiter.setRate(10);
  const before = sum(moves);
  await clock.run(6_000);
  assert.ok(sum(moves) - before <= 11, `${sum(moves) - before} octets`);
  const waiting = throttle.limited;
  stop();
  await nextTurn();
  assert.deepEqual([waiting, limiter.waiting, clock.timers], [true, 0, 0]);
});

test("who waits goes on at once when the limit is lifted", async () => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(1, clock);
  const throttle = new Throttle([limiter]);
  const taken = throttle.take(5_000, NEVER);
  limiter.setRate(undefined);
  assert.equal(await taken, 5_000);
  assert.deepEqual([throttle.limited, throttle.take(MIB, NEVER), clock.timers], [false, MIB, 0]);
});

test("without a limit the leave is a number at once, whole, and no timer is set", () => {
  const clock = new VirtualClock();
  const none = new Throttle([new RateLimiter(undefined, clock), new RateLimiter(undefined, clock)]);
  assert.equal(none.take(1_000_000_000, NEVER), 1_000_000_000);
  assert.equal(new Throttle([]).take(7, NEVER), 7);
  assert.deepEqual([none.limited, clock.timers], [false, 0]);
});

test("an abort ends a wait at once and gives back what had passed already", async () => {
  const clock = new VirtualClock();
  const [own, server] = [new RateLimiter(1_000, clock), new RateLimiter(0.001, clock)];
  const throttle = new Throttle([own, server]);
  const controller = new AbortController();
  await clock.run(1_000);
  const taken = throttle.take(20, controller.signal);
  assert.equal(server.waiting, 1, "it has passed its own limiter");
  const gone = new Error("gone");
  controller.abort(gone);
  await assert.rejects(Promise.resolve(taken), gone);
  assert.deepEqual([own.waiting, server.waiting, clock.timers], [0, 0, 0]);
  await assert.rejects(Promise.resolve(throttle.take(1, controller.signal)), gone);
  // 70 octets lay in the bucket and lie there again.
  const again = new Throttle([own]);
  const turns = [1, 2, 3].map(() => again.take(20, NEVER));
  assert.deepEqual(turns, [20, 20, 20]);
});

test("two leaves at once and a rate that is none are mistakes of the caller", async () => {
  const throttle = new Throttle([new RateLimiter(10, new VirtualClock())]);
  const controller = new AbortController();
  const taken = throttle.take(5, controller.signal);
  assert.throws(() => throttle.take(5, NEVER), /one leave at a time/);
  controller.abort();
  await assert.rejects(Promise.resolve(taken));
  for (const rate of [0, -1, Number.NaN, Infinity]) assert.throws(() => new RateLimiter(rate), RangeError);
});

test("in real time: no more than the rate and 9 % of a second's, and the most of the rate", async () => {
  const rate = 4 * MIB;
  const throttle = new Throttle([new RateLimiter(rate)]);
  const moves: Move[] = [];
  const started = performance.now();
  let last = started;
  let pause = 0;
  while (last - started < 2_500) {
    const octets = await throttle.take(64 * KIB, NEVER);
    const at = performance.now();
    // A machine that stood still for longer than the bucket holds is not the limiter's doing.
    pause += Math.max(0, at - last - 50);
    last = at;
    moves.push({ at, octets });
  }
  assert.ok(mostInASecond(moves) <= 1.1 * rate, `${mostInASecond(moves) / rate}`);
  const asked = ((last - started - pause) / 1000) * rate;
  assert.ok(sum(moves) >= 0.9 * asked, `${sum(moves) / asked} of the rate`);
});
