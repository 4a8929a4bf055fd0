/** The three forms of the log: what a line says, and what reads it back. Forged lines are in test/attacks/log.test.ts. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { bytesOf, bytesOfText } from "../../base/bytes.ts";
import { virtualPath } from "../../protocol/path.ts";
import type { FerrymanEvent } from "../events.ts";
import { jsonLine, jsonLossLine, parseJsonLine } from "./json.ts";
import { prettyLine, wantsColour } from "./pretty.ts";
import { parseXferlogLine, xferlogLine } from "./xferlog.ts";

const FACTS = { session: "s1", peer: { address: "2001:db8::7", port: 4000 }, account: "ann" };
/** In local time, as the forms for people show it. */
const AT = new Date(2026, 10, 1, 8, 5, 9).getTime();

const TRANSFER: FerrymanEvent & { type: "transfer" } = {
  ...FACTS,
  type: "transfer",
  direction: "download",
  path: virtualPath("/été 1"),
  octets: 5_000_000_000,
  milliseconds: 2600,
  offset: 0,
  representation: "image",
  anonymous: false,
  outcome: "complete",
  at: AT,
};

suite("xferlog", () => {
  test("a line has xferlog(5)'s fields in their order", () => {
    const line = "Sun Nov  1 08:05:09 2026 3 2001:db8::7 5000000000 /été_1 b _ o r ann ftp 0 * c";
    assert.equal(xferlogLine(TRANSFER), line);
    assert.equal(
      xferlogLine({
        ...TRANSFER,
        direction: "upload",
        representation: "ascii",
        anonymous: true,
        outcome: "aborted",
        milliseconds: 0,
      }),
      line.replace(" 3 ", " 1 ").replace("b _ o r", "a _ i a").replace(/c$/, "i"),
    );
  });

  test("a line is read back", () => {
    assert.deepEqual(parseXferlogLine(xferlogLine(TRANSFER) ?? ""), {
      time: "Sun Nov  1 08:05:09 2026",
      seconds: 3,
      host: "2001:db8::7",
      octets: 5_000_000_000,
      file: "/été_1",
      type: "image",
      direction: "download",
      anonymous: false,
      user: "ann",
      complete: true,
    });
  });

  test("another server's line is read, with spaces in the name; what is no line is none", () => {
    const line = "Thu Apr  7 12:00:00 2005 12 10.0.0.1 99 /a b c.txt a _ i a me@here ftp 1 me i";
    assert.equal(parseXferlogLine(line)?.file, "/a b c.txt");
    for (const broken of ["", "Thu Apr  7", line.replace(" 99 ", " x "), `${line} more`]) {
      assert.equal(parseXferlogLine(broken), undefined, broken);
    }
  });

  test("listings and other events have no line", () => {
    assert.equal(xferlogLine({ ...TRANSFER, direction: "listing" }), undefined);
    assert.equal(xferlogLine({ type: "server.closed", at: AT }), undefined);
  });
});

suite("json", () => {
  test("names are text, and octets besides where they are no text", () => {
    const argument = bytesOf(Buffer.from([0x61, 0xff]));
    const event: FerrymanEvent = { type: "command", verb: "RETR", argument, code: 550, ...FACTS, at: AT };
    const line: unknown = JSON.parse(jsonLine(event));
    const time = new Date(AT).toISOString();
    assert.deepEqual(line, { time, ...event, argument: "a\uFFFD", argumentBytes: "Yf8=" });
    assert.deepEqual(parseJsonLine(jsonLine(event)), event);
    assert.match(jsonLine(TRANSFER), /"path":"\/été 1"/);
  });

  test("what is no event is no event; a loss is told", () => {
    for (const line of ["", "[]", "1", "null", "{"]) assert.throws(() => parseJsonLine(line), SyntaxError, line);
    assert.deepEqual(JSON.parse(jsonLossLine(3, 0)), {
      time: "1970-01-01T00:00:00.000Z",
      type: "log.dropped",
      lines: 3,
      at: 0,
    });
  });
});

function plain(event: FerrymanEvent): string {
  return prettyLine(event, { colour: false });
}

suite("pretty", () => {
  test("a line says when, who, what", () => {
    const base = "08:05:09 s1 ann 2001:db8::7";
    const path = virtualPath("/a");
    for (const [event, said] of [
      [{ type: "command", verb: "RETR", argument: bytesOfText("a b"), code: 226 }, "RETR a b → 226"],
      [{ type: "command", verb: "NOOP", argument: bytesOfText(""), code: 200 }, "NOOP → 200"],
      [{ type: "login.accepted" }, "signed in"],
      [{ type: "refused", rule: "folder:/in:read", verb: "read", path }, "refused: read /a by rule folder:/in:read"],
      [{ type: "file.changed", change: { kind: "renamed", path, to: path } }, "renamed: /a to /a"],
      [{ type: "file.changed", change: { kind: "mode-set", path, mode: 0o44 } }, "mode set: /a to 044"],
      [{ type: "file.changed", change: { kind: "folder-made", path } }, "folder made: /a"],
    ] as const) {
      assert.equal(plain({ ...FACTS, ...event, at: AT }), `${base} ${said}`);
    }
    assert.equal(plain(TRANSFER), `${base} download /été 1 complete, 5000000000 octets in 2600 ms`);
    assert.equal(
      plain({ type: "server.listening", address: "::1", port: 21, at: AT }),
      "08:05:09 - listening on ::1 port 21",
    );
  });

  test("colour is for terminals alone", () => {
    const painted = prettyLine(TRANSFER, { colour: true });
    assert.ok(painted.includes("\u001B[32mdownload"));
    assert.equal(stripVTControlCharacters(painted), plain(TRANSFER));
    assert.equal(wantsColour({ file: "log" }), false);
  });
});
