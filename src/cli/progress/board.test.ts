/** The boards with a clock and a ticker that the test holds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FtpError } from "../../client/errors.ts";
import { failureFacts } from "../remote/failure-facts.ts";
import { type BoardMode, boardMode, createBoard } from "./board.ts";

const MIB = 1_048_576;

type Stage = {
  readonly board: ReturnType<typeof createBoard>;
  readonly err: string[];
  readonly out: string[];
  readonly clock: { now: number };
  readonly size: { columns: number; rows: number };
  /** Lets time pass and ticks once, if the board wants to be ticked. */
  readonly pass: (ms: number) => void;
  readonly isTicking: () => boolean;
};

function stage(mode: BoardMode): Stage {
  const [err, out]: [string[], string[]] = [[], []];
  const clock = { now: 0 };
  const size = { columns: 80, rows: 24 };
  let work: (() => void) | undefined;
  const board = createBoard(mode, {
    stderr: {
      // The escape character as something that can be read.
      write: (text) => err.push(text.replaceAll("\x1b", "^")),
      get columns() {
        return size.columns;
      },
      get rows() {
        return size.rows;
      },
    },
    stdout: { write: (text) => out.push(text) },
    now: () => clock.now,
    every: (given) => {
      work = given;
      return () => (work = undefined);
    },
  });
  const pass = (ms: number): void => {
    clock.now += ms;
    work?.();
  };
  return { board, err, out, clock, size, pass, isTicking: () => work !== undefined };
}

test("bars: drawn by ticks alone, replaced in place, and gone at the end", () => {
  const { board, err, pass, clock, isTicking } = stage("bars");
  const file = board.begin({ name: "a.iso", total: 10 * MIB });
  assert.deepEqual(err, []);
  file.update(MIB);
  file.update(2 * MIB);
  pass(100);
  assert.equal(err.length, 1);
  assert.match(err[0] ?? "", /^a\.iso +\[###-+\] +20% +20\.0 MiB\/s +0:00$/);
  pass(100);
  assert.match(err[1] ?? "", /^\r\^\[Ja\.iso /);
  file.update(10 * MIB);
  clock.now = 1_000;
  file.done();
  assert.equal(err[2], "\r^[Ja.iso  10.0 MiB in 0:01, 10.0 MiB/s\n");
  assert.equal(isTicking(), false);
  file.update(1);
  file.failed("late");
  board.close();
  assert.equal(err.length, 3);
});

test("bars: ended files scroll up over those that are active, with a total", () => {
  const { board, err, pass } = stage("bars");
  board.expect({ files: 3, bytes: 30 });
  const [first, second] = [board.begin({ name: "a", total: 10 }), board.begin({ name: "b", total: 10 })];
  first.update(10);
  pass(100);
  assert.match(err[0] ?? "", /^a +\[#+\] +100%.*\nb +\[-+\] +0%.*\nTotal 0\/3 files +\[#####-+\] +33%/);
  first.failed("no room\x1b[2J");
  assert.equal(err.length, 1);
  pass(100);
  assert.match(
    err[1] ?? "",
    /^\r\^\[2A\^\[Ja {2}failed after 10 B: no room\?\[2J\nb +\[-+\].*\nTotal 1\/3 files, 1 failed/,
  );
  board.note("a note");
  board.close();
  assert.equal(err[2], "\r^[1A^[Ja note\n");
  second.done();
  assert.equal(err.length, 3);
});

test("bars: after a resize lines are as narrow as the terminal", () => {
  const { board, err, size, pass } = stage("bars");
  board.begin({ name: "a long name for a file", total: 10 });
  pass(100);
  assert.equal(err[0]?.length, 79);
  size.columns = 40;
  pass(100);
  assert.equal(err[1]?.replace(/^\r\^\[1A\^\[J/, "").length, 39);
});

test("lines: one at the end, and one each 10 s for long files", () => {
  const { board, err, pass } = stage("lines");
  const file = board.begin({ name: "a.iso", total: 100 * MIB });
  for (let second = 1; second <= 21; second += 1) {
    file.update(second * MIB);
    pass(1_000);
  }
  assert.equal(err.length, 2);
  assert.match(err[0] ?? "", /^a\.iso {2}10% of 100 MiB, 1\.00 MiB\/s, 1:30 left\n$/);
  file.done();
  assert.match(err[2] ?? "", /^a\.iso {2}21\.0 MiB in 0:21, 1\.00 MiB\/s\n$/);
  board.begin({ name: "b" }).failed("gone");
  assert.equal(err[3], "b  failed: gone\n");
  board.begin({ name: "c" }).done("is there already");
  assert.equal(err[4], "c  is there already\n");
});

test("events: JSON lines on standard output with stable names", () => {
  const { board, err, out, pass } = stage("events");
  const file = board.begin({ name: "ü\n", resumedAt: 5 });
  file.update(7, { total: 20 });
  pass(1_000);
  file.done();
  board.begin({ name: "b", total: 1 }).failed("gone");
  board.note("by EPRT");
  assert.deepEqual(err, []);
  assert.deepEqual(out, [
    '{"v":1,"event":"start","id":1,"name":"ü\\n","total":null,"resumedAt":5}\n',
    '{"v":1,"event":"progress","id":1,"name":"ü\\n","bytes":7,"total":20,"resumedAt":5,"ms":1000}\n',
    '{"v":1,"event":"done","id":1,"name":"ü\\n","bytes":7,"total":20,"resumedAt":5,"ms":1000}\n',
    '{"v":1,"event":"start","id":2,"name":"b","total":1,"resumedAt":0}\n',
    '{"v":1,"event":"failed","id":2,"name":"b","bytes":0,"total":1,"resumedAt":0,"ms":0,"message":"gone"}\n',
    '{"v":1,"event":"note","message":"by EPRT"}\n',
  ]);
});

test("quiet: failures alone, and no timer", () => {
  const { board, err, out, isTicking } = stage("none");
  board.begin({ name: "b" }).done();
  board.begin({ name: "a" }).failed("gone");
  board.note("a note");
  board.note("error: none", { facts: failureFacts(new FtpError("NOT_FOUND", "none", { phase: "command" })) });
  board.close();
  assert.deepEqual([err, out, isTicking()], [["a  failed: gone\n", "error: none\n"], [], false]);
});

test("the mode follows flags and terminal", () => {
  const terminal = { write: () => true, isTTY: true };
  assert.equal(boardMode({}, terminal, {}), "bars");
  assert.equal(boardMode({}, terminal, { TERM: "dumb" }), "lines");
  assert.equal(boardMode({}, { write: () => true }, { TERM: "xterm" }), "lines");
  assert.equal(boardMode({ quiet: true }, terminal, {}), "none");
  assert.equal(boardMode({ json: true, quiet: true }, terminal, {}), "events");
});

test("bars: a failure that says much stays within the terminal", () => {
  const { board, err } = stage("bars");
  board.begin({ name: "report.pdf" }).failed(`cannot get /pub/report.pdf: ${"many words ".repeat(20)}`);
  board.note(`note: ${"more words ".repeat(20)}`);
  const lines = err.join("").split("\n");
  assert.ok(lines.length > 5);
  for (const line of lines) assert.ok(line.length <= 80, line);
});
