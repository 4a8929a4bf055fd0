/** The parser: what each form means, what it refuses, and that no text makes it fail otherwise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Chain, parseCommands, typing } from "./parse.ts";
import { nextToken, quoted } from "./words.ts";

/** A line's chains in short: words with `,` between, then where the output goes. */
function read(text: string): readonly string[] {
  const parsed = parseCommands(text);
  return parsed.ok ? parsed.chains.map(short) : [parsed.problem];
}

function short({ steps, isBackground }: Chain): string {
  const texts = steps.map((step) => {
    const joiner = { always: "", and: "&& ", or: "|| " }[step.joiner] + (step.ignoresFailure ? "-" : "");
    if (step.kind === "program") return `${joiner}!${step.program}`;
    const { words, redirect, pipe } = step;
    const to = redirect === undefined ? "" : ` ${redirect.isAppend ? ">>" : ">"}${redirect.file.text}`;
    return `${joiner}${words.map(({ text: each }) => each).join(",")}${to}${pipe === undefined ? "" : ` |${pipe}`}`;
  });
  return texts.join(" ") + (isBackground ? " &" : "");
}

test("words, quotes and escapes", () => {
  assert.deepEqual(read("get  a\tb"), ["get,a,b"]);
  assert.deepEqual(read(`get 'a b' "c \\"d\\"" e\\ f`), ['get,a b,c "d",e f']);
  assert.deepEqual(read("lcd C:\\temp\\new"), ["lcd,C:\\temp\\new"]);
  assert.deepEqual(read(`get ''`), ["get,"]);
  assert.deepEqual(read(`get a'b'"c"d`), ["get,abcd"]);
  assert.deepEqual(read("get 'a"), ["the quote ' is not closed"]);
});

test("chains, conditions, background, comments and lines", () => {
  assert.deepEqual(read("cd a; get b && rm b || ls; "), ["cd,a", "get,b && rm,b || ls"]);
  assert.deepEqual(read("get a & get b&ls"), ["get,a &", "get,b &", "ls"]);
  assert.deepEqual(read("cd a && get b &"), ["cd,a && get,b &"]);
  assert.deepEqual(read("ls # all; of it\nget a#b"), ["ls", "get,a#b"]);
  assert.deepEqual(read(" ;; \n"), []);
  assert.deepEqual(read("-rm a\n- rm b\n@ls\n-@ls"), ["-rm,a", "-rm,b", "ls", "-ls"]);
  assert.deepEqual(read("ls -l -a"), ["ls,-l,-a"]);
});

test("output to files and programs", () => {
  assert.deepEqual(read("ls -l > a.txt"), ["ls,-l >a.txt"]);
  assert.deepEqual(read("ls>>'a b'; pwd"), ["ls >>a b", "pwd"]);
  assert.deepEqual(read("cat f | grep 'a;b' | wc -l > n && ls"), ["cat,f |grep 'a;b' | wc -l > n && ls"]);
  assert.deepEqual(read("!ls -l; df | wc"), ["!ls -l; df | wc"]);
  assert.deepEqual(read("!"), ["!"]);
  assert.deepEqual(read("ls && !make x\nls"), ["ls && !make x", "ls"]);
});

test("what is missing is named", () => {
  assert.deepEqual(read("&& ls"), ['a command is missing before "&&"']);
  assert.deepEqual(read("ls &&"), ["a command is missing at the end"]);
  assert.deepEqual(read("ls |"), ['"|" needs a program behind it']);
  assert.deepEqual(read("ls >"), ['">" needs the name of a file behind it']);
  assert.deepEqual(read("> a"), ["a command is missing at the end"]);
  assert.deepEqual(read("ls > a | b"), ["the output can go to a file or a program"]);
  assert.match(read("x".repeat(70_000))[0] ?? "", /more than 65536 characters/);
  assert.match(read("x ".repeat(20_000))[0] ?? "", /more than 10000 words/);
});

function word(text: string): string {
  const token = nextToken(text, 0);
  assert.ok(token?.kind === "word");
  return `${token.word.isGlob ? "glob " : ""}${token.word.isHome ? "home " : ""}${token.word.pattern}`;
}

test("what was quoted is no glob and no home", () => {
  assert.equal(word("*.gz"), "glob *.gz");
  assert.equal(word("'*.gz'"), "\\*.gz");
  assert.equal(word("\\*.gz"), "\\*.gz");
  assert.equal(word("a'*'*"), "glob a\\**");
  assert.equal(word("~/x"), "home ~/x");
  assert.equal(word("'~'/x"), "\\~/x");
  assert.equal(word("C:\\x"), "C:\\\\x");
});

test("any text is read or refused, and what is quoted comes back as one word", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from("ab '\"\\;&|>#*?!-~\n\t,")) }), (text) => {
      parseCommands(text);
      const { current } = typing(text);
      assert.ok(current.start <= text.length && current.end <= text.length);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = parseCommands(`x ${quoted(text)}`);
      const step = parsed.ok ? parsed.chains[0]?.steps[0] : undefined;
      assert.ok(step?.kind === "command" && parsed.ok && parsed.chains.length === 1);
      assert.deepEqual(
        step.words.map(({ text: each }) => each),
        ["x", text],
      );
    }),
  );
});

function at(line: string): string {
  const { before, current, place } = typing(line);
  return `${place}: ${before.map(({ text }) => text).join(",")} <${current.text}${current.open}> ${current.start}`;
}

test("what is being typed: the command, the words before, and the one at the end", () => {
  assert.equal(at(""), "command:  <> 0");
  assert.equal(at("ge"), "command:  <ge> 0");
  assert.equal(at("get "), "command: get <> 4");
  assert.equal(at("ls; get a b\\ c"), "command: get,a <b c> 10");
  assert.equal(at("get 'a b"), "command: get <a b'> 4");
  assert.equal(at("ls > a"), "file: ls <a> 5");
  assert.equal(at("ls > a b"), "command: ls <b> 7");
  assert.equal(at("ls | gr"), "program:  <gr> 5");
  assert.equal(at("!vi x"), "program: !vi <x> 4");
});
