/** Servers that misbehave on the control connection: each call ends in time, with the truth or with a typed error. */
import { suite, test } from "node:test";
import { ACTS, CAREFUL, type CaseTable, HASTY, aboutReplies, tryOut } from "./unharmed.ts";

const { get, list, nothing, put, read } = ACTS;

const GREETINGS: CaseTable = {
  "a reply of lines without end": aboutReplies(
    { greeting: { first: "220-x\r\n", endless: " more\r\n" } },
    { act: nothing, ends: ["PROTOCOL", "LIMIT"] },
  ),
  "a line without end": aboutReplies(
    { greeting: { first: "220 ", endless: "x" } },
    { act: nothing, ends: ["PROTOCOL", "LIMIT"] },
  ),
  "120 without end": aboutReplies(
    { greeting: { endless: "120 Wait.\r\n" } },
    { act: nothing, options: HASTY, ends: ["PROTOCOL", "LIMIT", "TIMEOUT", "BUSY"] },
  ),
  "120 before 220": aboutReplies({ greeting: { before: "120 Wait.\r\n" } }, { act: get, ends: "well" }),
  slow: aboutReplies({ greeting: { waitMs: 300 } }, { act: get, ends: "well" }),
  never: aboutReplies({ greeting: { say: "" } }, { act: nothing, options: HASTY, ends: ["TIMEOUT"] }),
  "another protocol's": aboutReplies(
    { greeting: { say: "HTTP/1.1 400 Bad Request\r\n\r\n" } },
    { act: nothing, ends: ["PROTOCOL"] },
  ),
  "octets that are no text": aboutReplies(
    { greeting: { say: "\x00\x01\xff\xfe\r\n" } },
    { act: nothing, ends: ["PROTOCOL"] },
  ),
  "421": aboutReplies({ greeting: { say: "421 Too many users.\r\n" } }, { act: nothing, ends: ["BUSY"] }),
  "530 too many": aboutReplies(
    { greeting: { say: "530 Too many connections.\r\n" } },
    { act: nothing, ends: ["BUSY"] },
  ),
  reset: aboutReplies({ greeting: { end: "reset" } }, { act: nothing, ends: ["RESET", "UNREACHABLE"] }),
  closed: aboutReplies({ greeting: { end: "fin" } }, { act: nothing, ends: ["RESET", "UNREACHABLE"] }),
  "half closed": aboutReplies({ greeting: { end: "half" } }, { act: nothing, ends: ["RESET", "UNREACHABLE"] }),
  "the answers to USER and PASS come with it": aboutReplies(
    { greeting: { after: "331 Password.\r\n230 In.\r\n" } },
    { act: get },
  ),
  "of many lines, with a code in the midst": aboutReplies(
    { greeting: { say: "220-One\r\n530 looks like an end\r\n220-more\r\n220 Ready.\r\n" } },
    { act: get },
  ),
  "IAC and escapes": aboutReplies(
    { greeting: { say: "220 \xff\xff\x1b]0;title\x07 ready\r\n" } },
    { act: get, ends: "well" },
  ),
  "a bare LF at its end": aboutReplies({ greeting: { say: "220 Ready.\n" } }, { act: get, ends: "well" }),
};

const LOGINS: CaseTable = {
  "USER is enough": aboutReplies({ USER: { say: "230 In.\r\n" } }, { act: get, ends: "well" }),
  "PASS is wrong": aboutReplies({ PASS: { say: "530 Login incorrect.\r\n" } }, { act: nothing, ends: ["AUTH"] }),
  "too many": aboutReplies(
    { PASS: { say: "530 Sorry, the maximum number of clients (5) are already connected.\r\n" } },
    { act: nothing, ends: ["BUSY"] },
  ),
  "an account is wanted, and there is none": aboutReplies(
    { PASS: { say: "332 Account.\r\n" } },
    { act: nothing, ends: ["AUTH"] },
  ),
  "an account is wanted and given": aboutReplies(
    { PASS: { say: "332 Account.\r\n" } },
    { act: get, options: { ...CAREFUL, account: "books" }, ends: "well" },
  ),
  "331 again and again": aboutReplies(
    { PASS: { say: "331 Password.\r\n" } },
    { act: nothing, ends: ["AUTH", "PROTOCOL"] },
  ),
  "421 for PASS": aboutReplies({ PASS: { say: "421 Bye.\r\n" } }, { act: nothing, ends: ["BUSY"] }),
  "a preliminary reply for PASS": aboutReplies(
    { PASS: { say: "150 Here.\r\n" } },
    { act: nothing, options: HASTY, ends: ["PROTOCOL", "TIMEOUT"] },
  ),
  "a transfer's reply for PASS": aboutReplies({ PASS: { say: "226 Done.\r\n" } }, { act: get }),
  "no answer to PASS": aboutReplies({ PASS: { say: "" } }, { act: nothing, options: HASTY, ends: ["TIMEOUT"] }),
  "a reset at PASS": aboutReplies({ PASS: { end: "reset" } }, { act: nothing, ends: ["RESET"] }),
  "a stray reply behind PASS": aboutReplies({ PASS: { after: "200 Stray.\r\n" } }, { act: get }),
  "no FEAT": aboutReplies({ FEAT: { say: "500 What?\r\n" } }, { act: list, ends: "well" }),
  "FEAT without end": aboutReplies(
    { FEAT: { first: "211-x\r\n", endless: " MORE\r\n" } },
    { act: list, ends: ["PROTOCOL", "LIMIT"] },
  ),
  "FEAT with odd lines": aboutReplies(
    {
      FEAT: { say: "211-\r\nnot indented\r\n \r\n  \x00\xff\r\n SIZE\r\n MLST \r\n UTF8 what is this\r\n211 End\r\n" },
    },
    { act: list, ends: "well" },
  ),
  "no answer to FEAT": aboutReplies({ FEAT: { say: "" } }, { act: list, options: HASTY }),
  "no PWD, no SYST, no OPTS, no TYPE": aboutReplies(
    { PWD: { say: "550 No.\r\n" }, SYST: { say: "500 No.\r\n" }, OPTS: { say: "501 No.\r\n" } },
    { act: get, ends: "well" },
  ),
  "PWD without a path": aboutReplies({ PWD: { say: "257 you are somewhere\r\n" } }, { act: get, ends: "well" }),
  "PWD with a path of another world": aboutReplies({ PWD: { say: '257 "\x1b[2J\x00/../.." is it\r\n' } }, { act: get }),
};

const AT_ANY_TIME: CaseTable = {
  "each octet by itself": { liar: { lies: { split: true, splitData: true } }, act: get, ends: "well" },
  ...Object.fromEntries(
    ["TYPE", "EPSV", "RETR", "RETR end"].map((key) => [
      `421 at ${key}, and the end`,
      aboutReplies(
        { [key]: { say: "421 Shutting down.\r\n", end: "fin" } },
        { act: get, options: HASTY, ends: ["BUSY", "RESET"] },
      ),
    ]),
  ),
  ...Object.fromEntries(
    ["TYPE", "EPSV", "RETR", "RETR end"].map((key) => [
      `421 at ${key}, and nothing more`,
      aboutReplies({ [key]: { say: "421 Shutting down.\r\n" } }, { act: get, options: HASTY }),
    ]),
  ),
  ...Object.fromEntries(
    ["0 no", "99 no", "999 no", "2000 no", "abc", "", "-226 no", "226no"].map((line) => [
      `"${line}" for a reply`,
      aboutReplies({ RETR: { say: `${line}\r\n` } }, { act: get, options: HASTY }),
    ]),
  ),
  "another command's reply to each": aboutReplies({ "*": { say: "226 Done.\r\n" } }, { act: get, options: HASTY }),
  "each reply twice": aboutReplies({ "*": (_heard, reply) => ({ after: reply }) }, { act: get, options: HASTY }),
  "a 150 before each reply": aboutReplies({ "*": { before: "150 Soon.\r\n" } }, { act: get, options: HASTY }),
  "the transfer's replies come with the port": aboutReplies(
    { EPSV: { after: "150 Here it comes.\r\n226 Done.\r\n" } },
    { act: get, options: { ...HASTY, data: { modes: ["epsv"] } } },
  ),
  "stray replies without end": aboutReplies({ RETR: { endless: "200 Stray.\r\n" } }, { act: get, options: HASTY }),
  "150 without end": aboutReplies({ RETR: { endless: "150 Soon.\r\n" } }, { act: get, options: HASTY }),
  "150 never, and no data": {
    liar: { lies: { steps: { RETR: ["hang"] } } },
    act: read,
    options: HASTY,
    ends: ["TIMEOUT", "STALLED"],
  },
  "our own half of the connection is closed": aboutReplies(
    { RETR: { end: "half" } },
    { act: get, options: HASTY, ends: ["RESET"] },
  ),
  "no STOR": aboutReplies(
    { STOR: { say: "553 No such name.\r\n" } },
    { act: put, ends: ["DENIED", "UNSAFE_NAME", "NOT_FOUND"] },
  ),
  "no space": aboutReplies({ STOR: { say: "452 Disk full.\r\n" } }, { act: put, ends: ["NO_SPACE"] }),
  "over the quota": aboutReplies(
    { "STOR end": { say: "552 Quota exceeded.\r\n" } },
    { act: put, ends: ["QUOTA", "NO_SPACE"] },
  ),
  "no such file": aboutReplies({ RETR: { say: "550 No such file.\r\n" } }, { act: get, ends: ["NOT_FOUND"] }),
  "a busy file": aboutReplies({ RETR: { say: "450 Busy.\r\n" } }, { act: get, ends: ["BUSY"] }),
};

for (const [name, table] of Object.entries({ greeting: GREETINGS, login: LOGINS, "any time": AT_ANY_TIME })) {
  suite(name, { concurrency: false }, () => {
    for (const [what, one] of Object.entries(table)) test(what, async () => void (await tryOut(one)));
  });
}
