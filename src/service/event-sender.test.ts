/** Events of a worker come to the broker whole and in order; without a log, only what says who is here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText } from "../base/bytes.ts";
import { ROOT } from "../protocol/path.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import { EventSender } from "./event-sender.ts";

const FACTS = { session: "1.a", peer: { address: "192.0.2.1", port: 4_000 } };

function commandOf(session: string, at: number): FerrymanEvent {
  return { ...FACTS, session, type: "command", verb: "NOOP", argument: bytesOfText(""), code: 200, at };
}

function transferOf(session: string, octets: number): FerrymanEvent {
  return {
    ...FACTS,
    session,
    type: "transfer",
    direction: "download",
    path: ROOT,
    octets,
    offset: 0,
    milliseconds: 1,
    representation: "image",
    anonymous: false,
    outcome: "complete",
    at: octets,
  };
}

function sender(): { events: EventSender; batches: (readonly FerrymanEvent[])[] } {
  const batches: (readonly FerrymanEvent[])[] = [];
  return { events: new EventSender(async (batch) => batches.push(batch)), batches };
}

test("what happens within a moment goes in one message, in order", async (context) => {
  // The moment lasts until it is ended: a busy machine could take longer than that for the ten.
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { events, batches } = sender();
  for (let at = 0; at < 10; at++) {
    events.hear(commandOf("1.a", at));
    await new Promise(setImmediate);
  }
  await events.flush();
  assert.deepEqual(
    batches.map((batch) => batch.map(({ at }) => at)),
    [Array.from({ length: 10 }, (_, at) => at)],
  );
});

test("a burst goes in several messages, and nothing of it is lost", async () => {
  const { events, batches } = sender();
  for (let at = 0; at < 1_000; at++) events.hear(commandOf("1.a", at));
  await events.flush();
  assert.ok(batches.length > 1 && batches.every((batch) => batch.length <= 64));
  assert.deepEqual(
    batches.flat().map(({ at }) => at),
    Array.from({ length: 1_000 }, (_, at) => at),
  );
});

test("without a log the last command of each session goes, and what who and an xferlog read", async () => {
  const { events, batches } = sender();
  events.interest = "presence";
  for (let at = 0; at < 100; at++) events.hear(commandOf(at % 2 === 0 ? "1.a" : "1.b", at));
  events.hear({ ...FACTS, type: "data.unbound", at: 100 });
  events.hear({ ...FACTS, type: "login.accepted", account: "ann", at: 101 });
  await events.flush();
  events.hear(commandOf("1.a", 102));
  await events.flush();
  assert.deepEqual(
    batches.map((batch) => batch.map(({ type, at }) => [type, at])),
    [
      [
        ["command", 98],
        ["command", 99],
        ["login.accepted", 101],
      ],
      [["command", 102]],
    ],
  );
});

test("for who alone the transfers of a session go as one sum, for an xferlog each", async () => {
  for (const [interest, expected] of [
    [
      "presence",
      [
        ["1.a", 4],
        ["1.b", 2],
        ["1.a", 5],
      ],
    ],
    [
      "transfers",
      [
        ["1.a", 1],
        ["1.b", 2],
        ["1.a", 3],
        ["1.a", 5],
      ],
    ],
  ] as const) {
    const { events, batches } = sender();
    events.interest = interest;
    for (const [session, octets] of [
      ["1.a", 1],
      ["1.b", 2],
      ["1.a", 3],
    ] as const)
      events.hear(transferOf(session, octets));
    await events.flush();
    // What went is not added to what comes.
    events.hear(transferOf("1.a", 5));
    await events.flush();
    const seen = batches.flat().map((event) => (event.type === "transfer" ? [event.session, event.octets] : []));
    assert.deepEqual(seen, expected);
  }
});

test("for who alone the end of a session replaces all that waits of it, and nothing else's", async () => {
  const { events, batches } = sender();
  events.interest = "presence";
  events.hear({ ...FACTS, type: "login.accepted", account: "ann", at: 1 });
  events.hear(commandOf("1.a", 2));
  events.hear(transferOf("1.a", 3));
  events.hear(commandOf("1.b", 4));
  events.hear({ type: "server.fault", detail: "x", session: "1.a", at: 5 });
  events.hear({ ...FACTS, type: "session.closed", reason: "QUIT", commands: 1, at: 6 });
  events.hear(commandOf("1.b", 7));
  // The same id again, which sums nothing up with what is gone.
  events.hear(transferOf("1.a", 8));
  await events.flush();
  assert.deepEqual(
    batches.flat().map(({ type, at }) => [type, at]),
    [
      ["command", 7],
      ["server.fault", 5],
      ["session.closed", 6],
      ["transfer", 8],
    ],
  );
});
