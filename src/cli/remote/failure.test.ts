/** What people are told of a refusal, and with which code a command on many files ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FtpError } from "../../client/errors.ts";
import { replyError } from "../../client/reply-errors.ts";
import { CliError, EXIT } from "../exit.ts";
import { Failures, asCliError, failureEvent } from "./failure.ts";

function refused(what: string, code: number, line: string, command: string): FtpError {
  return replyError(what, { code, lines: [line] }, { phase: "command", command });
}

function words(error: FtpError): readonly string[] {
  const end = asCliError(error);
  assert.ok(end instanceof CliError);
  return end.message.split("\n");
}

test("a refusal says what failed in our words, then what to do, then what the server said", () => {
  const [first, cure, said] = words(refused("cannot get /pub/a", 550, "Failed to open file.", "RETR /pub/a"));
  assert.equal(first, "cannot get /pub/a: there is no such file or folder, or this user may not see it.");
  assert.match(cure ?? "", /ferryman ls/);
  assert.equal(said, "The server said: 550 Failed to open file.");
});

test("the command tells more than the code where one code stands for several things", () => {
  assert.match(words(refused("cannot put /n/x", 550, "No.", "STOR /n/x")).join(" "), /folder is not there.*-p makes/);
  assert.match(words(refused("cannot make n", 550, "File exists", "MKD n")).join(" "), /is there already.*With -p/);
  assert.match(words(refused("x lets nobody in", 530, "No.", "PASS ****")).join(" "), /name or the password is wrong/);
  assert.match(words(refused("cannot put x", 552, "No.", "STOR x")).join(" "), /room/);
});

test("every refusal that there is has words of ours", () => {
  for (const code of [421, 425, 426, 450, 451, 452, 500, 502, 503, 504, 530, 532, 534, 550, 551, 552, 553]) {
    const [first = ""] = words(refused("cannot do it", code, "Nein.", "XYZ a"));
    assert.doesNotMatch(first, /\d{3}|Nein/, `${code}: ${first}`);
  }
});

test("what is no refusal stays as it is, with its cure behind it", () => {
  const error = new FtpError("UNREACHABLE", "host: connection refused", { phase: "connect", hint: "is it running?" });
  assert.deepEqual(words(error), ["host: connection refused.", "Is it running?"]);
});

function codeOf(errors: readonly FtpError[], of: number): number {
  const failures = new Failures(() => {});
  for (const error of errors) failures.note(error);
  try {
    failures.end(of);
  } catch (error) {
    assert.ok(error instanceof CliError && error.isTold);
    return error.exitCode;
  }
  return EXIT.ok;
}

test("one that failed alone keeps its code; some of many are 1; all alike keep theirs", () => {
  const denied = refused("cannot get a", 553, "No.", "RETR a");
  const busy = refused("cannot get b", 450, "No.", "RETR b");
  assert.deepEqual(
    [codeOf([], 3), codeOf([denied], 1), codeOf([denied], 3), codeOf([denied, denied], 2), codeOf([denied, busy], 2)],
    [EXIT.ok, EXIT.refused, EXIT.failed, EXIT.refused, EXIT.failed],
  );
});

test("programs are told the same of every failure", () => {
  const end = asCliError(refused("cannot list /n", 550, "Not here.", "LIST /n"), "ftp://example.org/n");
  assert.ok(end instanceof CliError);
  assert.deepEqual(failureEvent(end), {
    v: 1,
    event: "failed",
    url: "ftp://example.org/n",
    code: "NOT_FOUND",
    phase: "command",
    retryable: false,
    replyCode: 550,
    replyText: "Not here.",
    message: "cannot list /n: 550 Not here.",
    hint: null,
  });
  assert.equal(failureEvent(new CliError("Get what?", EXIT.usage))["code"], "USAGE");
});
