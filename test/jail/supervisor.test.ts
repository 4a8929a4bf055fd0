/** Workers are kept running, replaced and stopped: with real processes and short limits. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { confinementHere } from "../../src/jail/confined-process.ts";
import { type GoneReason, Supervisor, type SupervisorOptions } from "../../src/jail/supervisor.ts";
import { startPeer } from "./worker.ts";

type Event =
  | { readonly what: "start" | "ready"; readonly index: number }
  | ({ readonly what: "gone"; readonly index: number } & GoneReason)
  | { readonly what: "fault"; readonly text: string };

/** Events in order, each of which can be waited for. */
function supervise(
  modeOf: (index: number, start: number) => string,
  changes: Partial<SupervisorOptions> & { readonly first?: number } = {},
) {
  const events: Event[] = [];
  const waiting: { wanted: (event: Event) => boolean; resolve: (event: Event) => void }[] = [];
  const add = (event: Event): void => {
    events.push(event);
    for (const each of waiting.filter(({ wanted }) => wanted(event))) {
      waiting.splice(waiting.indexOf(each), 1);
      each.resolve(event);
    }
  };
  let starts = 0;
  const { first, ...options } = changes;
  const supervisor = new Supervisor({
    count: 1,
    start: (index) => {
      add({ what: "start", index });
      return startPeer([modeOf(index, starts++)]);
    },
    onWorkerReady: (index) => add({ what: "ready", index }),
    onWorkerGone: (index, reason) => add({ what: "gone", index, ...reason }),
    onFault: (text) => add({ what: "fault", text }),
    ...options,
    limits: { firstPauseMs: 1, termGraceMs: 5_000, ...changes.limits },
  });
  supervisor.start(first);
  const next = async (what: Event["what"], index?: number): Promise<Event> => {
    const { promise, resolve } = Promise.withResolvers<Event>();
    const wanted = (event: Event): boolean =>
      event.what === what && (index === undefined || !("index" in event) || event.index === index);
    waiting.push({ wanted, resolve });
    return promise;
  };
  return { supervisor, events, next };
}

async function end(supervisor: Supervisor): Promise<void> {
  await supervisor.stop({ graceMs: 0 });
  assert.deepEqual(supervisor.ready, []);
}

test("all workers become ready; one that is killed is replaced; all drain at the end", async () => {
  const { supervisor, events, next } = supervise(() => "wait", { count: 2 });
  await Promise.all([next("ready", 0), next("ready", 1)]);
  const [first] = supervisor.ready;
  assert.ok(first);
  const replaced = Promise.all([next("gone"), next("ready", first.index)]);
  process.kill(first.pid, "SIGKILL");
  const [gone] = await replaced;
  assert.ok(gone.what === "gone");
  assert.deepEqual([gone.index, gone.code, gone.signal, gone.stuck], [first.index, null, "SIGKILL", false]);
  assert.equal(supervisor.ready.length, 2);
  await supervisor.stop({ graceMs: 10_000 });
  const ends = events.flatMap((event) => (event.what === "gone" ? [[event.code, event.signal]] : []));
  assert.deepEqual(ends.slice(1), [
    [0, null],
    [0, null],
  ]);
  assert.equal(events.filter(({ what }) => what === "start").length, 3, "nothing was started after stop");
});

test("those that are left wait for startOthers, which starts each once", async () => {
  const { supervisor, events, next } = supervise(() => "wait", { count: 3, first: 1 });
  await next("ready", 0);
  const started = (): readonly number[] => events.flatMap((each) => (each.what === "start" ? [each.index] : []));
  assert.deepEqual(started(), [0]);
  const others = Promise.all([next("ready", 1), next("ready", 2)]);
  supervisor.startOthers();
  supervisor.startOthers();
  await others;
  assert.deepEqual(started(), [0, 1, 2]);
  await end(supervisor);
  supervisor.startOthers();
  assert.deepEqual(started(), [0, 1, 2]);
});

test("one that does not drain gets SIGTERM, and SIGKILL when that is not heard either", async () => {
  const { supervisor, events, next } = supervise(() => "stubborn", { limits: { termGraceMs: 50 } });
  await next("ready");
  await supervisor.stop({ graceMs: 10 });
  const last = events.at(-1);
  assert.ok(last?.what === "gone");
  assert.equal(last.signal, "SIGKILL");
});

for (const mode of ["silent", "stuck"]) {
  test(`a worker that is ${mode} is killed and replaced`, async () => {
    // A silent one is not ready in time; a stuck one was, but gives no sign of life any more.
    const limits = { readyMs: mode === "silent" ? 2_000 : 10_000, pongMs: 400, pingEveryMs: 50 };
    const { supervisor, next } = supervise((_index, start) => (start === 0 ? mode : "wait"), { limits });
    const gone = await next("gone");
    assert.ok(gone.what === "gone" && gone.stuck);
    assert.equal(gone.signal, "SIGKILL");
    await next("ready");
    await end(supervisor);
  });
}

test("workers that die young are started ever slower, and the fault is said once", async () => {
  const { supervisor, events, next } = supervise(() => "dies", {
    limits: { firstPauseMs: 40, deathsPerMinute: 3, longestPauseMs: 200 },
  });
  await next("fault");
  await next("gone");
  await next("gone");
  await end(supervisor);
  const reasons = events.flatMap((event) => (event.what === "gone" ? [event.code] : []));
  assert.ok(reasons.length >= 5);
  assert.ok(reasons.slice(0, 5).every((code) => code === 3));
  assert.equal(events.filter(({ what }) => what === "fault").length, 1);
});

test("one that was ready and ends is replaced; a start that throws counts as a death", async () => {
  let starts = 0;
  const { supervisor, next } = supervise(() => "wait", {
    start: () => {
      starts += 1;
      if (starts === 2) throw new Error("no more processes");
      return startPeer([starts === 1 ? "dies later" : "wait"]);
    },
  });
  const first = await next("gone");
  const second = await next("gone");
  assert.ok(first.what === "gone" && second.what === "gone");
  assert.deepEqual([first.code, first.fault], [4, undefined]);
  assert.match(second.fault ?? "", /no more processes/);
  await next("ready");
  await end(supervisor);
});

test("a number of workers that cannot be is refused", () => {
  for (const count of [0, -1, 1.5, 257, NaN])
    assert.throws(() => supervise(() => "wait", { count }), /workers cannot be/);
});

const skip = confinementHere().launcher
  ? false
  : "without foreign functions only the channel tells of the broker's end";

test("a worker that hears nothing dies with a broker that is killed", { skip }, async () => {
  const program = `
    const { startPeer } = await import(${JSON.stringify(new URL("worker.ts", import.meta.url).href)});
    const child = startPeer(["stuck"]);
    child.on("message", () => console.log(child.pid));`;
  const broker = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line]: unknown[] = await once(createInterface(broker.stdout), "line");
  const pid = Number(line);
  assert.ok(existsSync(`/proc/${pid}`));
  const gone = once(broker, "close");
  broker.kill("SIGKILL");
  await gone;
  const deadline = Date.now() + 10_000;
  while (isRunning(pid)) assert.ok(Date.now() < deadline, "it lives on");
});

/** A zombie, whose new parent has not looked yet, runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}
