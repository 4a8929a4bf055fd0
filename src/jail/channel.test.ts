import assert from "node:assert/strict";
import { createServer } from "node:net";
import { suite, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { z } from "zod";
import { BrokerSide, type BrokerSideOptions, type ChannelFault, type WorkerLink } from "./broker-side.ts";
import { FrameLengths } from "./channel-guard.ts";
import { defineNotices, defineRequests, type Handle, RequestError, type ToWorker, WithHandle } from "./channel.ts";
import { WorkerSide } from "./worker-side.ts";

const REQUESTS = defineRequests({
  double: { ask: z.strictObject({ value: z.int().min(0).max(1000) }), answer: z.int() },
  name: { ask: z.string().max(20), answer: z.strictObject({ text: z.string() }) },
});
const NOTICES = defineNotices({ reload: z.strictObject({ path: z.string() }) });
type Options = BrokerSideOptions<typeof REQUESTS, typeof NOTICES>;

function options(changes: Partial<Options> = {}): Options & { readonly faults: ChannelFault[] } {
  const faults: ChannelFault[] = [];
  return {
    requests: REQUESTS,
    notices: NOTICES,
    handlers: { double: ({ value }) => value * 2, name: (text) => ({ text }) },
    onFault: (fault) => faults.push(fault),
    faults,
    ...changes,
  };
}

async function never(): Promise<never> {
  return new Promise(() => {});
}

/** Keeps what the broker sends. `hold`: nothing counts as read until `flush`. */
function fakeLink(hold = false) {
  const frames: ToWorker[] = [];
  const held: (() => void)[] = [];
  let kills = 0;
  const link: WorkerLink = {
    send: (frame, _handle, sent) => {
      frames.push(frame);
      if (hold) held.push(sent);
      else sent();
    },
    kill: () => void (kills += 1),
  };
  return { link, frames, kills: () => kills, flush: () => held.splice(0).forEach((sent) => sent()) };
}

/** Both sides, joined without a process; frames pass a structured clone, as they do between processes. */
function joined(changes: Partial<Options> = {}) {
  const given = options(changes);
  const told: unknown[] = [];
  const handles: (Handle | undefined)[] = [];
  const events: string[] = [];
  const worker: WorkerSide<typeof REQUESTS, typeof NOTICES> = new WorkerSide(
    { send: (frame, sent) => queueMicrotask(() => (broker.receive(structuredClone(frame)), sent(null))) },
    {
      requests: REQUESTS,
      notices: NOTICES,
      onNotice: { reload: (payload, handle) => (told.push(payload), handles.push(handle)) },
      onDrain: () => events.push("drain"),
      onGone: () => events.push("gone"),
      answerMs: 1_000,
    },
  );
  const broker = new BrokerSide(
    {
      send: (frame, handle, sent) => (worker.receive(structuredClone(frame), handle), sent()),
      kill: () => events.push("kill"),
    },
    given,
  );
  return { worker, broker, told, handles, events, faults: given.faults };
}

test("a request is answered by its handler, typed on both sides", async () => {
  const { worker, faults } = joined();
  assert.equal(await worker.ask("double", { value: 21 }), 42);
  const { text } = await worker.ask("name", "ann");
  assert.equal(text, "ann");
  assert.deepEqual(faults, []);
});

test("a note runs its handler, gets no answer, and one that does not fit is not sent", async () => {
  const noted: number[] = [];
  const { worker, broker, faults } = joined({
    handlers: { double: ({ value }) => noted.push(value), name: (text) => ({ text }) },
  });
  worker.note("double", { value: 7 });
  worker.note("double", { value: -7 });
  await turn();
  assert.deepEqual([noted, broker.wrongMessages, faults], [[7], 0, []]);
});

test("attack 31: a note of an unknown name or a wrong shape counts against the worker, and none is answered", async () => {
  const { link, frames, kills } = fakeLink();
  const broker = new BrokerSide(link, options({ limits: { wrong: 2 } }));
  broker.receive({ t: "note", name: "constructor", payload: {} });
  broker.receive({ t: "note", name: "double", payload: { value: "1" } });
  await turn();
  assert.deepEqual([broker.wrongMessages, frames, kills()], [2, [], 0]);
  broker.receive({ t: "note", name: "double" });
  assert.equal(kills(), 1);
});

test("many at once find their own answers", async () => {
  const { worker } = joined({
    handlers: {
      double: async ({ value }) => {
        for (let turns = value % 7; turns > 0; turns--) await turn();
        return value * 2;
      },
      name: (text) => ({ text }),
    },
  });
  const values = Array.from({ length: 200 }, (_, value) => value);
  const answers = await Promise.all(values.map((value) => worker.ask("double", { value })));
  assert.deepEqual(
    answers,
    values.map((value) => value * 2),
  );
});

test("a refusal on purpose reaches the worker, another fault's text does not", async () => {
  const { worker, faults } = joined({
    handlers: {
      double: () => {
        throw new RequestError("refused", "not today");
      },
      name: async () => {
        throw new Error("secret of the host");
      },
    },
  });
  await assert.rejects(worker.ask("double", { value: 1 }), { code: "refused", message: "not today" });
  await assert.rejects(
    worker.ask("name", ""),
    (error) => error instanceof RequestError && !/secret/.test(error.message),
  );
  assert.deepEqual(
    faults.map(({ kind }) => kind),
    ["handler-failed"],
  );
  assert.match(faults[0]?.text ?? "", /secret/);
});

test("what does not fit is not even sent, and an answer that does not fit is a fault of the broker", async () => {
  const { worker, broker } = joined({ handlers: { double: () => 1.5, name: (text) => ({ text }) } });
  await assert.rejects(worker.ask("double", { value: -1 }), { code: "malformed" });
  await assert.rejects(worker.ask("double", { value: 1 }), { code: "failed" });
  assert.equal(broker.wrongMessages, 0);
});

test("a handler that takes too long is told to stop, and its late answer goes nowhere", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { worker, faults } = joined({
    limits: { handlerMs: 5 },
    handlers: {
      double: async (_ask, { signal }) => {
        const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
        signal.addEventListener("abort", () => abort());
        await aborted;
        resolve();
        return 1;
      },
      name: (text) => ({ text }),
    },
  });
  await assert.rejects(worker.ask("double", { value: 1 }), { code: "timeout" });
  await promise;
  assert.deepEqual(
    faults.map(({ kind }) => kind),
    ["handler-late"],
  );
});

test("a notice arrives by its schema, a drain by its own function", () => {
  const { worker, broker, told, events } = joined();
  broker.tell("reload", { path: "/x" });
  worker.receive({ t: "drain" });
  worker.receive({ t: "tell", name: "constructor", payload: {} });
  worker.receive({ t: "tell", name: "reload", payload: { path: 5 } });
  worker.receive("nonsense");
  assert.deepEqual(told, [{ path: "/x" }]);
  assert.deepEqual(events, ["drain"]);
});

test("a server goes along with an answer or a notice, and is closed where nobody takes it", async () => {
  const servers = [1, 2, 3].map(() => createServer().listen(0, "127.0.0.1"));
  const waiting = [...servers];
  const { worker, broker, handles } = joined({
    handlers: { double: () => new WithHandle(1, waiting.shift() ?? createServer()), name: (text) => ({ text }) },
  });
  const { answer, handle } = await worker.askForHandle("double", { value: 1 });
  assert.deepEqual([answer, handle === servers[0]], [1, true]);
  await worker.ask("double", { value: 1 });
  assert.equal(servers[1]?.listening, false);
  broker.tell("reload", { path: "" }, servers[2]);
  assert.equal(handles[0], servers[2]);
  for (const server of servers) server.close();
});

test("when one side is gone, whoever waits hears it", async () => {
  let signal: AbortSignal | undefined;
  const { worker, broker, events } = joined({
    handlers: {
      double: async (_ask, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      name: (text) => ({ text }),
    },
  });
  const asked = worker.ask("double", { value: 1 });
  await turn();
  broker.close();
  assert.equal(signal?.aborted, true);
  worker.gone();
  await assert.rejects(asked, { code: "gone" });
  await assert.rejects(worker.ask("name", ""), { code: "gone" });
  assert.deepEqual(events, ["gone"]);
});

suite("attack 31: limits hold against a worker that was taken over", () => {
  test("more requests at once than allowed are refused, and count against it", async () => {
    const { link, frames, kills } = fakeLink();
    const broker = new BrokerSide(
      link,
      options({ handlers: { double: never, name: never }, limits: { outstanding: 3, wrong: 2 } }),
    );
    for (let id = 1; id <= 5; id++) broker.receive({ t: "ask", id, name: "name", payload: "" });
    assert.deepEqual(
      frames.map((frame) => (frame.t === "refusal" ? frame.code : frame.t)),
      ["busy", "busy"],
    );
    assert.equal(kills(), 0);
    broker.receive({ t: "ask", id: 6, name: "name", payload: "" });
    assert.equal(kills(), 1);
  });

  test("an answer that is not read still counts", async () => {
    const { link, frames, flush } = fakeLink(true);
    const broker = new BrokerSide(link, options({ limits: { outstanding: 2 } }));
    const ask = async (id: number): Promise<void> => {
      broker.receive({ t: "ask", id, name: "name", payload: "" });
      await turn();
    };
    for (const id of [1, 2, 3]) await ask(id);
    assert.deepEqual(
      frames.map(({ t }) => t),
      ["answer", "answer", "refusal"],
    );
    flush();
    await ask(4);
    assert.equal(frames.at(-1)?.t, "answer");
  });

  test("who leaves everything unread is ended", () => {
    const { link, kills } = fakeLink(true);
    const broker = new BrokerSide(link, options({ limits: { unread: 10 } }));
    for (let count = 0; count < 12; count++) broker.tell("reload", { path: "" });
    assert.equal(kills(), 1);
  });

  test("a replay, an unknown name and a handle are wrong", () => {
    const given = options();
    const { link, kills } = fakeLink();
    const broker = new BrokerSide(link, given);
    const ask = { t: "ask", id: 7, name: "name", payload: "" };
    broker.receive(ask);
    broker.receive(ask);
    broker.receive({ ...ask, id: 6 });
    for (const name of ["constructor", "__proto__", "toString", "x".repeat(65)]) {
      broker.receive({ ...ask, id: 8 + broker.wrongMessages, name });
    }
    let isClosed = false;
    broker.receive({ ...ask, id: 100 }, { close: () => (isClosed = true) });
    assert.deepEqual([broker.wrongMessages, isClosed, kills()], [7, true, 0]);
    broker.receive(null);
    broker.receive(undefined);
    assert.equal(kills(), 1);
    broker.receive({ ...ask, id: 101 });
    assert.equal(broker.wrongMessages, 9, "nothing is served any longer");
  });
});

test("attack 31: 20,000 random messages neither end the broker nor reach a handler unchecked", async () => {
  const polluted: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
  const name = fc.constantFrom("double", "name", "__proto__", "constructor", "hasOwnProperty", "reload", "");
  const id = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: -2, max: 30_000 }) },
    fc.constantFrom(NaN, Infinity, 2 ** 53, 1n, "1", null),
  );
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
  });
  const payload = fc.oneof(
    value,
    fc.record({ value: fc.oneof(fc.integer({ min: -5, max: 2000 }), value) }),
    fc.string({ maxLength: 40 }),
    fc.constantFrom(polluted, { value: 1, __proto__: null }, "x".repeat(1_000_000), Array(10_000).fill(polluted)),
  );
  const tag = fc.constantFrom(
    "ask",
    "ready",
    "pong",
    "answer",
    "refusal",
    "tell",
    "ping",
    "drain",
    "__proto__",
    1,
    null,
  );
  const message = fc.oneof(
    { weight: 3, arbitrary: fc.record({ t: fc.constant("ask"), id, name, payload }) },
    fc.record({
      t: fc.constant("ask"),
      id: fc.nat(),
      name: fc.constant("double"),
      payload: fc.record({ value: fc.integer({ min: -500, max: 1500 }) }),
    }),
    fc.record({ t: tag, id, name, payload, code: value, text: value }, { requiredKeys: ["t"] }),
    value,
    fc.constant(polluted),
  );
  let calls = 0;
  let wrong = 0;
  const unchecked: unknown[] = [];
  const given = options({
    limits: { wrong: Infinity },
    handlers: {
      double: (ask) => {
        calls += 1;
        const fits =
          Number.isInteger(ask.value) && ask.value >= 0 && ask.value <= 1000 && Object.keys(ask).length === 1;
        if (!fits) unchecked.push(ask);
        return ask.value * 2;
      },
      name: (text) => {
        calls += 1;
        if (typeof text !== "string" || text.length > 20) unchecked.push(text);
        return { text };
      },
    },
    onFault: ({ kind, text }) => {
      if (kind !== "wrong-message") unchecked.push(text);
    },
  });
  fc.assert(
    fc.property(message, (random) => {
      const { link, frames } = fakeLink();
      const broker = new BrokerSide(link, given);
      const before = calls;
      broker.receive(random);
      broker.receive(random);
      assert.ok(calls <= before + 1, "a replay was served");
      wrong += broker.wrongMessages;
      for (const frame of frames) assert.ok(frame.t === "answer" || frame.t === "refusal");
    }),
    { numRuns: 20_000 },
  );
  await turn();
  assert.deepEqual(unchecked, []);
  assert.ok(calls > 500 && wrong > 5_000, `${calls} calls, ${wrong} wrong messages: too few to tell`);
  assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
});

test("lengths of frames are followed through any chunks", () => {
  const frames = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 10 });
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
  fc.assert(
    fc.property(frames, cuts, fc.boolean(), (lengths, steps, tooLong) => {
      const all = tooLong ? [...lengths, 101] : lengths;
      const octets = Buffer.concat(
        all.map((length) => {
          const frame = Buffer.alloc(4 + length, 0xff);
          frame.writeUInt32BE(length);
          return frame;
        }),
      );
      const checker = new FrameLengths(100);
      let isFine = true;
      for (let at = 0, turns = 0; at < octets.length; turns++) {
        const step = steps[turns % steps.length] ?? 1;
        isFine &&= checker.accept(octets.subarray(at, at + step));
        at += step;
      }
      assert.equal(isFine, !tooLong);
    }),
  );
});
