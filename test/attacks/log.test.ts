/** Attack 57: no name, reason or address that a client sends can forge a log line, hide one or speak to a terminal. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assert as check, constantFrom, property, record, string, uint8Array } from "fast-check";
import { type ByteString, bytesOf, bytesOfText } from "../../src/base/bytes.ts";
import { resolvePath, virtualPath } from "../../src/protocol/path.ts";
import type { FerrymanEvent } from "../../src/workspace/events.ts";
import { jsonLine, parseJsonLine } from "../../src/workspace/sinks/json.ts";
import { prettyLine } from "../../src/workspace/sinks/pretty.ts";
import { parseXferlogLine, xferlogLine } from "../../src/workspace/sinks/xferlog.ts";
import { FACTS } from "../support/workspace.ts";

const AT = Date.UTC(2026, 10, 21, 8, 0, 0);
/** Names that broke other logs: line ends, ANSI, spaces, separators of the format, C1 controls, direction marks, no UTF-8. */
const NASTY: readonly ByteString[] = [
  bytesOfText("a\nSun Nov 21 08:00:00 2026 1 evil 1 /x b _ o r root ftp 0 * c"),
  bytesOfText("a\r\n08:00:00 s1 root signed in"),
  bytesOfText('a"}\n{"type":"login.accepted"}'),
  bytesOfText("\u001b[2J\u001b]0;owned\u0007\u009b31m"),
  bytesOfText("a b _ o r root ftp 0 * c"),
  bytesOfText("a;b\tc\u007f"),
  bytesOfText("\u202etxt.exe \u2028 \u2029 \u0085 \ufeff"),
  bytesOfText("back\\slash \\n"),
  bytesOf(Buffer.from([0xff, 0xfe, 0x1b, 0x5b, 0x33, 0x31, 0x6d])),
  bytesOf(Buffer.from([0xc2, 0x9b])),
  bytesOf(Buffer.from([0xed, 0xa0, 0x80])),
];
const octets = constantFrom(...NASTY);
const random = uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => bytesOf(Buffer.from(bytes)));

function transferOf(name: ByteString, reason = "it broke"): FerrymanEvent & { type: "transfer" } {
  return {
    ...FACTS,
    type: "transfer",
    direction: "upload",
    path: resolvePath(virtualPath("/up"), name),
    octets: 12,
    milliseconds: 1400,
    offset: 0,
    representation: "image",
    anonymous: false,
    outcome: "complete",
    reason,
    at: AT,
  };
}

/** One of each kind, with what a client chose in every place for it. */
function eventsWith(name: ByteString, text: string): readonly FerrymanEvent[] {
  const facts = { ...FACTS, account: text };
  const path = resolvePath(virtualPath("/"), name);
  return [
    { type: "session.closed", reason: text, commands: 3, ...facts, at: AT },
    { type: "session.refused", reason: text, ...facts, at: AT },
    { type: "command", verb: text, argument: name, code: 500, ...facts, at: AT },
    { type: "login.failed", name, reason: text, ...facts, at: AT },
    { type: "refused", rule: text, verb: text, path, ...facts, at: AT },
    { type: "refused", rule: text, verb: text, ...facts, at: AT },
    transferOf(name, text),
    { type: "file.changed", change: { kind: "renamed", path, to: path }, ...facts, at: AT },
    { type: "file.changed", change: { kind: "linked", path, target: name }, ...facts, at: AT },
    { type: "file.changed", change: { kind: "mode-set", path, mode: 0o644 }, ...facts, at: AT },
    { type: "file.changed", change: { kind: "removed", path }, ...facts, at: AT },
    { type: "data.refused", from: text, port: 20, reason: text, ...facts, at: AT },
    { type: "server.fault", detail: text.replaceAll("\n", " "), session: text, at: AT },
    { type: "server.listening", address: text, port: 21, at: AT },
  ];
}

function shown(argument: ByteString): string {
  return prettyLine({ type: "command", verb: "RETR", argument, code: 226, ...FACTS, at: AT }, { colour: false });
}

function assertOneCleanLine(line: string): void {
  assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
}

suite("attack 57", () => {
  for (const [kind, names] of [
    ["nasty", octets],
    ["random", random],
  ] as const) {
    test(`${kind} names: one clean line per event, and JSON gives the event back`, () => {
      check(
        property(names, string({ unit: "binary", maxLength: 30 }), (name, text) => {
          for (const event of eventsWith(name, text)) {
            assertOneCleanLine(prettyLine(event, { colour: false }));
            const line = jsonLine(event);
            assertOneCleanLine(line);
            assert.deepEqual(parseJsonLine(line), event);
          }
        }),
        { numRuns: 150 },
      );
    });

    test(`${kind} names: one xferlog line per transfer, whose fields stay in their places`, () => {
      check(
        property(names, string({ unit: "binary", maxLength: 20 }), (name, account) => {
          const line = xferlogLine({ ...transferOf(name), account });
          assert.ok(line !== undefined);
          assertOneCleanLine(line);
          assert.equal(line.split(" ").length, 18, line);
          const { file, user, ...rest } = parseXferlogLine(line) ?? { file: undefined, user: undefined };
          assert.ok(file?.startsWith("/"), file);
          assert.doesNotMatch(`${file}${user}`, /\s/u);
          assert.deepEqual(
            { ...rest, time: "" },
            {
              time: "",
              seconds: 1,
              host: "192.0.2.7",
              octets: 12,
              type: "image",
              direction: "upload",
              anonymous: false,
              complete: true,
            },
          );
        }),
        { numRuns: 150 },
      );
    });
  }

  test("two names never look alike on the terminal", () => {
    const pair = record({ one: random, other: random });
    check(
      property(pair, ({ one, other }) => {
        assert.equal(shown(one) === shown(other), one === other);
      }),
    );
    assert.notEqual(shown(bytesOf(Buffer.from([0xff]))), shown(bytesOfText("\\xff")));
    assert.notEqual(shown(bytesOfText("\n")), shown(bytesOfText("\\x0a")));
  });

  test("a fault's stack cannot begin a line of its own", () => {
    const detail = "Error: x\n08:00:00 s1 root signed in\r\u001b[2K\n    at f";
    const lines = prettyLine({ type: "server.fault", detail, at: AT }, { colour: false }).split("\n");
    assert.equal(lines.length, 3);
    for (const line of lines.slice(1)) assert.match(line, /^ {4}\| /);
    for (const line of lines) assertOneCleanLine(line);
  });
});
