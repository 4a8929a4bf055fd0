/** Notes of one turn are one message; none is late, none overtakes or is overtaken, and the broker checks each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { z } from "zod";
import { BrokerSide, type ChannelFault } from "./broker-side.ts";
import { defineNotices, defineRequests, type FromWorker } from "./channel.ts";
import { NOTES_AT_ONCE } from "./limits.ts";
import { WorkerSide } from "./worker-side.ts";

const REQUESTS = defineRequests({
  count: { ask: z.int().min(0), answer: z.null() },
  wait: { ask: z.null(), answer: z.null() },
});
const NOTICES = defineNotices({});

function worker(): { side: WorkerSide<typeof REQUESTS, typeof NOTICES>; sent: FromWorker[] } {
  const sent: FromWorker[] = [];
  const side = new WorkerSide(
    { send: (frame) => void sent.push(frame) },
    { requests: REQUESTS, notices: NOTICES, onNotice: {}, onDrain: () => {}, onGone: () => {} },
  );
  return { side, sent };
}

function broker(limits: { readonly outstanding?: number; readonly wrong?: number } = {}) {
  const counted: number[] = [];
  const faults: ChannelFault[] = [];
  let kills = 0;
  const side = new BrokerSide(
    { send: (_frame, _handle, sent) => sent(), kill: () => void (kills += 1) },
    {
      requests: REQUESTS,
      notices: NOTICES,
      handlers: { count: (value) => (counted.push(value), null), wait: async () => new Promise<null>(() => {}) },
      onFault: (fault) => faults.push(fault),
      limits,
    },
  );
  return { side, counted, faults, kills: () => kills };
}

function count(value: unknown): { t: "note"; name: "count"; payload: unknown } {
  return { t: "note", name: "count", payload: value };
}

test("notes of one turn go together at its end, one alone as it is", async () => {
  const { side, sent } = worker();
  for (const value of [1, 2, 3]) side.note("count", value);
  assert.deepEqual(sent, []);
  await turn();
  side.note("count", 4);
  await turn();
  assert.deepEqual(sent, [{ t: "notes", notes: [count(1), count(2), count(3)] }, count(4)]);
});

test("what is asked comes after the notes before it", () => {
  const { side, sent } = worker();
  side.noteLater("count", 1);
  side.note("count", 2);
  side.ask("wait", null).catch(() => {});
  side.gone();
  assert.deepEqual(
    sent.map(({ t }) => t),
    ["notes", "ask"],
  );
});

test("a note that may wait goes with the next one, or when its time is over", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { side, sent } = worker();
  side.noteLater("count", 1);
  await turn();
  assert.deepEqual(sent, []);
  side.note("count", 2);
  await turn();
  assert.deepEqual(sent, [{ t: "notes", notes: [count(1), count(2)] }]);
  side.noteLater("count", 3);
  context.mock.timers.tick(10);
  assert.deepEqual(sent.slice(1), [count(3)]);
});

test("many notes of one turn go in messages of bounded size, and in order", async () => {
  const [{ side, sent }, { side: end, counted, faults }] = [worker(), broker()];
  const values = Array.from({ length: 3 * NOTES_AT_ONCE + 5 }, (_, value) => value);
  for (const value of values) side.note("count", value);
  await turn();
  assert.equal(sent.length, 4);
  for (const frame of sent) end.receive(structuredClone(frame));
  assert.deepEqual([counted, faults], [values, []]);
});

test("notes that are done at once do not count as outstanding, those that wait do", async () => {
  const { side, counted, faults } = broker({ outstanding: 2 });
  const wait = { t: "note", name: "wait", payload: null } as const;
  side.receive({ t: "notes", notes: Array.from({ length: NOTES_AT_ONCE }, (_, value) => count(value)) });
  assert.deepEqual([counted.length, faults], [NOTES_AT_ONCE, []]);
  side.receive({ t: "notes", notes: [wait, wait, wait] });
  await turn();
  assert.deepEqual(
    faults.map(({ text }) => text),
    ["it has more than 2 requests outstanding"],
  );
});

test("attack 31: each note of a message is checked, none after one wrong too many is heard, and no message is longer", () => {
  const { side, counted, kills } = broker({ wrong: 1 });
  side.receive({ t: "notes", notes: Array.from({ length: NOTES_AT_ONCE + 1 }, () => count(1)) });
  assert.deepEqual([side.wrongMessages, counted], [1, []]);
  side.receive({ t: "notes", notes: [count(2), count(-1), count(3)] });
  assert.deepEqual([side.wrongMessages, counted, kills()], [2, [2], 1]);
  const other = broker();
  for (const notes of [[{ t: "ready" }], [{ t: "notes", notes: [] }], [null], "x", undefined]) {
    other.side.receive({ t: "notes", notes });
  }
  other.side.receive({ t: "notes", notes: [], more: 1 });
  assert.deepEqual([other.side.wrongMessages, other.counted], [6, []]);
});
