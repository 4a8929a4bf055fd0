import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { REPLY_TEXT } from "./reply.ts";
import { GREETING, mayReply, replySequence } from "./reply-sequences.ts";

/** RFC 959 §5.4, verb by verb, as it stands there: preliminary codes before the bar, the others after it. */
const RFC_959 = `
USER | 230 530 500 501 421 331 332
PASS | 230 202 530 500 501 503 421 332
ACCT | 230 202 530 500 501 503 421
CWD | 250 500 501 502 421 530 550
CDUP | 200 500 501 502 421 530 550
SMNT | 202 250 500 501 502 421 530 550
REIN 120 | 220 421 500 502
QUIT | 221 500
PORT | 200 500 501 421 530
PASV | 227 500 501 502 421 530
MODE | 200 500 501 504 421 530
TYPE | 200 500 501 504 421 530
STRU | 200 500 501 504 421 530
ALLO | 200 202 500 501 504 421 530
REST | 500 501 502 421 530 350
STOR 125 150 110 | 226 250 425 426 451 551 552 532 450 452 553 500 501 421 530
STOU 125 150 110 | 226 250 425 426 451 551 552 532 450 452 553 500 501 421 530
RETR 125 150 110 | 226 250 425 426 451 450 550 500 501 421 530
LIST 125 150 | 226 250 425 426 451 450 500 501 502 421 530
NLST 125 150 | 226 250 425 426 451 450 500 501 502 421 530
APPE 125 150 110 | 226 250 425 426 451 551 552 532 450 550 452 553 500 501 502 421 530
RNFR | 450 550 500 501 502 421 530 350
RNTO | 250 532 553 500 501 502 503 421 530
DELE | 250 450 550 500 501 502 421 530
RMD | 250 500 501 502 421 530 550
MKD | 257 500 501 502 421 530 550
PWD | 257 500 501 502 421 550
ABOR | 225 226 500 501 502 421
SYST | 215 500 501 502 421
STAT | 211 212 213 450 500 501 502 421 530
HELP | 211 214 500 501 502 421
SITE | 200 202 500 501 530
NOOP | 200 500 421
${GREETING} 120 | 220 421
`;

test("the table holds all of RFC 959 §5.4", () => {
  for (const row of RFC_959.trim().split("\n")) {
    const [head = "", tail = ""] = row.split(" | ");
    const [verb = "", ...preliminary] = head.split(" ");
    const known = replySequence(verb);
    for (const code of preliminary) assert.ok(known.preliminary.includes(Number(code)), `${verb} ${code}`);
    for (const code of tail.split(" ")) assert.ok(known.final.includes(Number(code)), `${verb} ${code}`);
  }
});

test("later RFCs' verbs answer as these say", () => {
  const rows = {
    FEAT: 211,
    OPTS: 451,
    EPRT: 522,
    EPSV: 229,
    SIZE: 213,
    MDTM: 213,
    MLST: 250,
    MLSD: 226,
    LANG: 200,
    HOST: 220,
  };
  const more = { AUTH: 234, PBSZ: 200, PROT: 536, CCC: 533, MFMT: 213, MFF: 504, HASH: 556, RANG: 350, XCRC: 250 };
  for (const [verb, code] of Object.entries({ ...rows, ...more }))
    assert.ok(replySequence(verb).final.includes(code), verb);
});

test("an unknown verb never succeeds, whatever it is called", () => {
  for (const verb of ["XYZZY", "", "constructor", "toString", "__proto__", "noop"]) {
    assert.equal(mayReply(verb, [], 500), true);
    assert.equal(mayReply(verb, [], 502), true);
    assert.equal(mayReply(verb, [], 200), false);
    assert.equal(mayReply(verb, [], 150), false);
  }
});

test("a transfer is announced once, and succeeds only after that", () => {
  assert.equal(mayReply("RETR", [], 150), true);
  assert.equal(mayReply("RETR", [], 226), false);
  assert.equal(mayReply("RETR", [], 550), true);
  assert.equal(mayReply("RETR", [], 425), true);
  assert.equal(mayReply("RETR", [150], 226), true);
  assert.equal(mayReply("RETR", [150], 125), false);
  assert.equal(mayReply("RETR", [150], 550), true);
  assert.equal(mayReply("RETR", [150], 500), false, "the command was understood");
  assert.equal(mayReply("RETR", [150], 530), false);
  assert.equal(mayReply("RETR", [150], 421), true);
  assert.equal(mayReply("RETR", [150], 522), true);
});

test("restart markers come after the announcement, as often as they like", () => {
  assert.equal(mayReply("STOR", [], 110), false);
  assert.equal(mayReply("STOR", [150], 110), true);
  assert.equal(mayReply("STOR", [150, 110], 110), true);
  assert.equal(mayReply("STOR", [150, 110], 226), true);
});

test("one final reply ends a command (attack 19)", () => {
  assert.equal(mayReply("NOOP", [], 200), true);
  assert.equal(mayReply("NOOP", [200], 200), false);
  assert.equal(mayReply("RETR", [150, 226], 226), false);
  assert.equal(mayReply("RNFR", [350], 250), false);
  assert.equal(mayReply("NOOP", [], 150), false);
});

test("a server that is not ready says so before its greeting", () => {
  assert.equal(mayReply(GREETING, [], 220), true);
  assert.equal(mayReply(GREETING, [], 120), true);
  assert.equal(mayReply(GREETING, [120], 220), true);
  assert.equal(mayReply(GREETING, [120], 120), false);
});

test("no walk through any verb's replies goes on after its final one", () => {
  const verb = fc.constantFrom("RETR", "STOR", "NOOP", "REIN", "MKD", "XYZZY", GREETING);
  const code = fc.constantFrom(...Object.keys(REPLY_TEXT).map(Number));
  fc.assert(
    fc.property(verb, fc.array(code), (each, codes) => {
      const so: number[] = [];
      for (const next of codes) if (mayReply(each, so, next)) so.push(next);
      assert.ok(so.slice(0, -1).every((before) => before < 200));
      assert.ok(so.filter((before) => before === 150 || before === 125 || before === 120).length <= 1);
    }),
  );
});
