/** Who is here, as the event stream tells it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream } from "../base/event-stream.ts";
import { bytesOfText } from "../base/bytes.ts";
import { virtualPath } from "../protocol/path.ts";
import type { FerrymanEvent } from "./events.ts";
import { Who } from "./who.ts";

function facts(session: string) {
  return { session, peer: { address: "192.0.2.7", port: 4000 } };
}

test("sessions come, sign in, do things and go", () => {
  const events = new EventStream<FerrymanEvent>();
  const who = new Who(events);
  events.emit({ type: "session.opened", ...facts("s1"), at: 1 });
  events.emit({ type: "session.opened", ...facts("s2"), at: 2 });
  events.emit({ type: "login.accepted", ...facts("s2"), account: "ann", at: 3 });
  events.emit({ type: "command", verb: "RETR", argument: bytesOfText("a"), code: 226, ...facts("s2"), at: 4 });
  for (const [direction, octets] of [
    ["download", 3],
    ["upload", 5],
    ["listing", 7],
  ] as const) {
    const moved = { octets, milliseconds: 1, offset: 0, representation: "image", anonymous: false } as const;
    events.emit({
      type: "transfer",
      direction,
      path: virtualPath("/a"),
      outcome: "failed",
      ...moved,
      ...facts("s2"),
      at: 5,
    });
  }
  const ann = { ...facts("s2"), account: "ann", since: 2, last: { verb: "RETR", at: 4 }, downloaded: 10, uploaded: 5 };
  assert.deepEqual(who.list(), [{ ...facts("s1"), since: 1, downloaded: 0, uploaded: 0 }, ann]);
  events.emit({ type: "session.closed", reason: "QUIT", commands: 1, ...facts("s1"), at: 6 });
  assert.deepEqual(who.list(), [ann]);
});

test("what is told of sessions that are not here leaves nothing behind", () => {
  const events = new EventStream<FerrymanEvent>();
  const who = new Who(events);
  events.emit({ type: "session.refused", reason: "full", ...facts("s1"), at: 1 });
  events.emit({ type: "login.accepted", ...facts("s1"), account: "ann", at: 2 });
  events.emit({ type: "session.opened", ...facts("s2"), at: 3 });
  events.emit({ type: "session.closed", reason: "QUIT", commands: 0, ...facts("s2"), at: 4 });
  events.emit({ type: "command", verb: "NOOP", argument: bytesOfText(""), code: 200, ...facts("s2"), at: 5 });
  assert.deepEqual(who.list(), []);
});
