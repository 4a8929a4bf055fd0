import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { parseListArguments } from "./list-arguments.ts";

function parse(text: string): string {
  const { flags, path } = parseListArguments(bytesOfText(text));
  return `${[...flags].join("")}|${path}`;
}

test("flags are read as people type them, the rest is the path", () => {
  const cases = {
    "": "|",
    "-la": "al|",
    "-l -a": "al|",
    "-l -a path": "al|path",
    "-al dir with  space ": "al|dir with  space ",
    "-aARltSr1dF": "aAlRtSr1dF|",
    "-l  path": "l| path",
    path: "|path",
    "path -l": "|path -l",
    " -l": "| -l",
    "-l ": "l|",
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(parse(text), expected, text);
});

test("a path may begin with a hyphen after --, or where no flags could be meant", () => {
  assert.equal(parse("-- -name"), "|-name");
  assert.equal(parse("-l -- -a"), "l|-a");
  assert.equal(parse("--"), "|");
  assert.equal(parse("-"), "|-");
  assert.equal(parse("-my.file"), "|-my.file");
  assert.equal(parse("-l -my file"), "l|file", "a word of letters alone is flags");
  assert.equal(parse("---"), "|---");
});

test("attack 47: unknown flags are passed over and numbers never read", () => {
  assert.equal(parse("-w 1000000"), "|1000000");
  assert.equal(parse("-lw99999999999 x"), "l|x");
  assert.equal(parse("-BCZ x"), "|x");
  assert.equal(parse("--color=auto --group-directories-first -l x"), "l|x");
});

test("a path that begins with no hyphen is never changed, and no octets make it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.subarray(["-l", "-a", "--", "-R1", "--full-time"]), (octets, words) => {
      const argument = bytesOf(Buffer.from(octets));
      const before = words.filter((word) => word !== "--").map((word) => `${word} `);
      if (!argument.startsWith("-")) {
        assert.equal(parseListArguments(bytesOf(Buffer.from(before.join("") + argument, "latin1"))).path, argument);
      }
      assert.equal(
        parseListArguments(bytesOf(Buffer.from(`${before.join("")}-- ${argument}`, "latin1"))).path,
        argument,
      );
      assert.ok(argument.endsWith(parseListArguments(argument).path));
    }),
  );
});
