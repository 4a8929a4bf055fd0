import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { compileGlob, compilePathGlob, hasGlob } from "./glob.ts";
import { GLOB_ALTERNATIVES, LINE_LIMIT, NAME_LIMIT } from "./limits.ts";

function check(
  compile: (pattern: string) => (text: string) => boolean,
  pattern: string,
  yes: string,
  no: string,
): void {
  const matches = compile(pattern);
  for (const text of yes.split(" ").filter((each) => each !== "-"))
    assert.equal(matches(bytesOfText(text)), true, `${pattern} takes ${text}`);
  for (const text of no.split(" ").filter((each) => each !== "-"))
    assert.equal(matches(bytesOfText(text)), false, `${pattern} refuses ${text}`);
}

/** `yes` and `no` are names with spaces between; "-" is no name at all. */
function name(pattern: string, yes: string, no: string): void {
  check((text) => compileGlob(bytesOfText(text)), pattern, yes, no);
}

function path(pattern: string, yes: string, no: string): void {
  check(compilePathGlob, pattern, yes, no);
}

test("hasGlob tells patterns from names", () => {
  for (const pattern of ["*", "a?", "[a]", "x[!a]", "{a,b}", "\\*", "a{,}"])
    assert.equal(hasGlob(pattern), true, pattern);
  for (const text of ["", "a.txt", "[]", "]a[", "[", "{a}", "{a,", "a,b}", "}{,", "\\a", "-{"])
    assert.equal(hasGlob(text), false, text);
});

test("stars take any octets, also none", () => {
  name("*", ".hidden \u00e4 a", "-");
  name("*.txt", ".txt a.txt a.txt.txt", "a.txt.gz atxt");
  name("a*b*c", "abc a1b2c abbcc", "ab acb abcd");
  name("a**b", "ab axb", "a b");
  name("*ab", "ab aab abab", "aba b");
  name("", "", "a");
});

test("a question mark is one UTF-8 character, or one octet that is none", () => {
  name("?", "a \u00e4 \u20ac \u{1f600}", "ab \u00e4\u00e4");
  name("a?c", "abc a\u00e4c", "ac abbc");
  const one = compileGlob(bytesOfText("?"));
  for (const octets of ["\xe4", "\x80", "\xff", "\xf8"]) assert.equal(one(octets), true);
  for (const octets of ["", "\xc3a", "\xe2\x82", "\xf0\x9f\x98a", "\xc3\xa4\x80"]) assert.equal(one(octets), false);
});

test("sets, ranges, negation and a bracket as a member", () => {
  name("[abc]", "a b c", "d ab [abc]");
  name("x[a-c0-9]", "xa xc x5", "xd x+ x");
  name("[!a-c]", "d + !", "a b c");
  name("[^a]", "b ^", "a");
  name("[]a]", "] a", "b");
  name("[!]a]", "b", "] a");
  name("[a-]x", "ax -x", "bx");
  name("[z-a]", "-", "z a [z-a]");
  name("[a", "[a", "a");
  name("[[[", "[[[", "[");
});

test("a backslash makes the next character plain", () => {
  name("\\*", "*", "a \\*");
  name("\\{a,b\\}", "{a,b}", "a b");
  name("a\\", "a\\", "a");
  name("{a\\,b,c}", "a,b c", "a b");
});

test("braces stand for alternatives, also within each other", () => {
  name("*.{jpg,png}", "a.jpg b.png", "a.gif a.");
  name("{a,}b", "ab b", "aab");
  name("{a,{b,c}d}e", "ae bde cde", "be e");
  name("{x{a},y}", "x{a} y", "x{a},y");
  name("{a}", "{a}", "a");
  name("{a,b", "{a,b", "a");
  name("a,b}", "a,b}", "a");
  name("{{a,b}", "{a {b", "a");
  name("{*,?}x", "abcx x", "y");
});

test("attack 46: braces beyond the limit are plain characters", () => {
  const most = Array.from({ length: GLOB_ALTERNATIVES }, (_, index) => `n${index}`);
  name(`{${most.join()}}`, most.join(" "), "n64");
  name(`{${most.join()},n64}`, `{${most.join()},n64}`, "n0 n64");
  const long = `{${"a".repeat(300)},${"b".repeat(300)}}`;
  name(long, long, "a".repeat(300));
});

/** What compiling a pattern both ways takes, and meeting each of the names with it. */
function millisecondsFor(pattern: string, names: readonly string[]): number {
  const start = performance.now();
  const [matchesName, matchesPath] = [compileGlob(bytesOfText(pattern)), compilePathGlob(pattern)];
  for (const each of names) {
    if (each.length <= NAME_LIMIT) matchesName(each);
    matchesPath(each);
  }
  return performance.now() - start;
}

test("attack 46: no pattern of a command line takes 50 ms", () => {
  const wide = `{${Array.from({ length: 32 }, () => `*${"a".repeat(14)}b`).join()}}`;
  const patterns = [
    "*{a,b}*".repeat(40),
    "*a".repeat(100),
    `${"*a".repeat(100)}b`,
    "*?".repeat(200),
    `${"*?a".repeat(80)}b`,
    wide,
  ];
  const deep = ["{", "[", "{,}", "{a,", "[!-\xff]", "**", "\\", "}", "{{a,b},"].map((text) =>
    text.repeat(LINE_LIMIT / text.length),
  );
  const names = ["a".repeat(255), "ab".repeat(127), "/a".repeat(2000)];
  const commas = `{${",".repeat(2000)}}${"a".repeat(2000)}`;
  for (const pattern of [...patterns, ...deep, commas, "*/../*/..", "/**/a".repeat(400), "/**/*a*b".repeat(300)]) {
    // The best of five: other programs on the machine take time too.
    const took = Math.min(...[1, 2, 3, 4, 5].map(() => millisecondsFor(pattern, names)));
    assert.ok(took < 50, `${pattern.slice(0, 20)}… took ${took} ms`);
  }
});

test("attack 29: a rule without a slash meets the last part at any depth", () => {
  path("*.exe", "/a.exe /x/y/a.exe", "/a.exe/b /a.txt");
  path("\u00e4", "/\u00e4 /x/\u00e4", "/a");
});

test("a rule with a slash is anchored at the root, and a star stays within a part", () => {
  path("/incoming", "/incoming /incoming/", "/ /incoming/a /x/incoming");
  path("in/*.txt", "/in/a.txt", "/in/x/a.txt /x/in/a.txt /a.txt");
  path("/*/b", "/a/b", "/b /a/a/b /a");
  path("/a?b*", "/axb", "/a/b /axb/c");
  path("//in//", "/in", "/ /in/a");
  path("/", "/", "/a");
});

test("two stars as a part are any number of parts", () => {
  path("/in/**", "/in/a /in/a/b/c", "/in /inx/a /");
  path("/**", "/ /a /a/b", "-");
  path("**", "/ /a /a/b", "-");
});

test("two stars between parts", () => {
  path("/a/**/z", "/a/z /a/b/z /a/b/c/z /a/z/z", "/z /a /a/z/b /b/a/z");
  path("/**/z", "/z /a/b/z", "/a /z/a");
  path("/**/b/**/d", "/b/d /a/b/c/d /b/b/d/d", "/d /b /b/d/e /a/d");
  path("/a/**/**", "/a/b /a/b/c", "/a /b/c");
  path("/a**b/c", "/ab/c /axb/c", "/a/b/c");
  path("/{a,b/c}/d", "/a/d /b/c/d", "/b/d /c/d");
  path("**/x/*.{a,b}", "/x/1.a /y/x/2.b", "/x/1.c /x/y/1.a");
});

/** The same meaning as a regular expression, for small patterns of plain octets. */
function asExpression(pattern: string): RegExp {
  const wild = pattern.replaceAll("?", ".").replaceAll("*", ".*");
  return new RegExp(`^(?:${wild.replaceAll("{", "(?:").replaceAll("}", ")").replaceAll(",", "|")})$`, "s");
}

test("patterns mean what their regular expressions mean", () => {
  const piece = fc.constantFrom("a", "b", "*", "?", "[ab]", "[^a]", "{a,b*}", "{,a?b}");
  // Six braces may be more than GLOB_TOKENS when they are written out, and are then plain characters.
  const pattern = fc
    .array(piece, { maxLength: 6 })
    .filter((pieces) => pieces.filter((each) => each.startsWith("{")).length <= 4)
    .map((pieces) => pieces.join(""));
  const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 7 }).map((letters) => letters.join(""));
  fc.assert(
    fc.property(pattern, fc.array(text), (glob, names) => {
      const matches = compileGlob(bytesOfText(glob));
      const expression = asExpression(glob);
      for (const each of names) assert.equal(matches(each), expression.test(each), `${glob} on ${each}`);
    }),
    { numRuns: 1000 },
  );
});

test("path patterns mean what their regular expressions mean", () => {
  const pattern = fc.array(fc.constantFrom("a", "b", "*", "**"), { minLength: 1, maxLength: 6 });
  const parts = fc.array(fc.constantFrom("a", "b", "ab"), { maxLength: 7 });
  fc.assert(
    fc.property(pattern, fc.array(parts), (pieces, paths) => {
      const matches = compilePathGlob(`/${pieces.join("/")}`);
      const whole = pieces.every((piece) => piece === "**") && pieces.length === 1;
      const sources = pieces.map((piece, at) => {
        if (piece !== "**") return `/${piece.replace("*", "[^/]*")}`;
        return at === pieces.length - 1 ? "(?:/[^/]+)+" : "(?:/[^/]+)*";
      });
      const source = pieces.at(-1) === "**" ? [...sources.slice(0, -1), "(?:/[^/]+)+"] : sources;
      const expression = new RegExp(whole ? "^" : `^${source.join("")}$`);
      for (const each of paths) {
        const text = each.map((part) => `/${part}`).join("");
        assert.equal(matches(text === "" ? "/" : text), expression.test(text), `${pieces.join("/")} on ${text}`);
      }
    }),
    { numRuns: 1000 },
  );
});

test("every name is matched by itself escaped, and no octets make a matcher throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (octets, others) => {
      const text = bytesOf(Buffer.from(octets));
      const escaped = Buffer.from([...octets].flatMap((octet) => [0x5c, octet]));
      assert.equal(compileGlob(bytesOf(escaped))(text), true);
      const pattern = bytesOf(Buffer.from(others));
      compileGlob(pattern)(text);
      compilePathGlob(pattern)(text);
    }),
  );
});
