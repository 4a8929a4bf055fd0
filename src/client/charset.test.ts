import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ByteString, bytesOf, bytesOfText } from "../base/bytes.ts";
import { joined } from "../protocol/octets.ts";
import { encodeTable, nameDecoder } from "./charset-tables.ts";
import { NameCoder, sameName } from "./charset.ts";
import { FtpError } from "./errors.ts";
import { GUESS_NAMES, GUESS_PLAIN } from "./limits.ts";

const SETS = [
  "utf-8",
  "latin1",
  "iso-8859-2",
  "iso-8859-5",
  "iso-8859-15",
  "windows-1250",
  "windows-1251",
  "windows-1252",
  "windows-1254",
  "koi8-r",
  "koi8-u",
  "ibm866",
  "macintosh",
  "shift_jis",
  "euc-jp",
  "gbk",
  "gb18030",
  "big5",
  "euc-kr",
];

function octets(...codes: readonly number[]): ByteString {
  return bytesOf(Buffer.from(codes));
}

function refused(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof FtpError && error.code === code && message.test(error.message);
}

const upper = fc.array(fc.integer({ min: 0x80, max: 0xff }), { minLength: 1, maxLength: 6 });
/** Names that collide often: few octets, UTF-8 and not, and parts with `/` between. */
const name = fc.oneof(
  upper.map((codes) => octets(...codes)),
  fc.constantFrom(...["é", "É", "ß", "я", "名", "a", "é.txt"].map(bytesOfText)),
  fc.constantFrom(octets(0xe9), octets(0xc3, 0xa9), octets(0xc9), octets(0x82, 0xa0), octets(0xff), octets(0x5c, 0xe9)),
  fc.uint8Array({ maxLength: 8 }).map((codes) => bytesOf(Buffer.from(codes.map((code) => (code < 32 ? 65 : code))))),
);

for (const set of SETS) {
  test(`every name in ${set} comes back to its octets, whatever was listed beside it`, () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 12 }), (names) => {
        const coder = new NameCoder(set);
        const texts = names.map((each) => coder.decode(each));
        for (const [index, text] of texts.entries()) assert.equal(coder.encode(text), names[index]);
        const different = new Set(names.filter((each) => !each.includes("/")));
        const shown = new Set(texts.filter((each) => !each.includes("/")));
        assert.equal(shown.size, different.size, "two names must not become one text");
      }),
      { numRuns: 300 },
    );
  });
}

test("UTF-8 is read where it is UTF-8, else the set; new names are written in UTF-8 or in the set that was chosen", () => {
  const plain = new NameCoder();
  assert.equal(plain.decode(bytesOfText("naïve 日本 💀")), "naïve 日本 💀");
  assert.equal(plain.decode(octets(0x63, 0x61, 0x66, 0xe9)), "café");
  assert.equal(plain.encode("new é"), bytesOfText("new é"));
  assert.equal(plain.encode("café"), octets(0x63, 0x61, 0x66, 0xe9), "as it was listed");
  assert.equal(plain.encode("/x/café/y"), `/x/${octets(0x63, 0x61, 0x66, 0xe9)}/y`, "within a path too");
  const cyrillic = new NameCoder("windows-1251");
  assert.equal(cyrillic.decode(octets(0xec, 0xe8, 0xf0)), "мир");
  assert.equal(cyrillic.encode("мир"), octets(0xec, 0xe8, 0xf0));
  assert.equal(cyrillic.decode(bytesOfText("файл")), "файл", "UTF-8 beside the set");
  assert.equal(cyrillic.encode("файл"), bytesOfText("файл"), "as it was listed");
  assert.equal(new NameCoder("koi8-r").encode("мир"), octets(0xcd, 0xc9, 0xd2));
  assert.equal(new NameCoder("shift_jis").encode("表ｱ"), octets(0x95, 0x5c, 0xb1));
  assert.equal(new NameCoder("gbk").encode("中文"), octets(0xd6, 0xd0, 0xce, 0xc4));
  assert.equal(new NameCoder("big5").encode("中文"), octets(0xa4, 0xa4, 0xa4, 0xe5));
  assert.equal(new NameCoder("euc-kr").encode("한글"), octets(0xc7, 0xd1, 0xb1, 0xdb));
  assert.equal(new NameCoder("euc-jp").encode("日本"), octets(0xc6, 0xfc, 0xcb, 0xdc));
});

test("two names that read the same stay two", () => {
  const first = new NameCoder();
  const old = first.decode(octets(0xe9));
  const young = first.decode(octets(0xc3, 0xa9));
  assert.equal(old, "é");
  assert.notEqual(young, "é");
  assert.equal(first.encode(young), octets(0xc3, 0xa9));
  const second = new NameCoder();
  assert.equal(second.decode(octets(0xc3, 0xa9)), "é");
  const other = second.decode(octets(0xe9));
  assert.notEqual(other, "é");
  assert.equal(second.encode(other), octets(0xe9));
  assert.equal(second.encode("é"), octets(0xc3, 0xa9));
});

/** 1,004 octets that are no UTF-8, another name for each number. */
function longName(index: number): ByteString {
  const tail = octets(0xe9, 0x30 + (index >> 12), 0x30 + ((index >> 6) & 63), 0x30 + (index & 63));
  return bytesOf(Buffer.concat([Buffer.alloc(1000, 0x61), Buffer.from(tail, "latin1")]));
}

test("when the memory is full, names still come back to their octets", () => {
  const coder = new NameCoder();
  const early = coder.decode(octets(0xe8));
  const texts = Array.from({ length: 6000 }, (_, index) => coder.decode(longName(index)));
  assert.ok(texts[0]?.endsWith("aé000"), "read as latin1 while there is room");
  const firstEscaped = texts.findIndex((text) => !text.includes("é"));
  assert.ok(firstEscaped > 1000, `${firstEscaped}`);
  for (const [index, text] of texts.entries()) assert.equal(coder.encode(text), longName(index));
  assert.equal(new Set(texts).size, texts.length);
  const filling = Array.from({ length: 200 }, (_, index) =>
    coder.decode(octets(0xe9, 0x41 + (index >> 4), 0x41 + (index & 15))),
  );
  assert.ok(
    filling.some((text) => !text.includes("é")),
    "not a name more",
  );
  assert.equal(coder.decode(bytesOfText("ö")), "ö", "UTF-8 needs no memory");
  const late = coder.decode(octets(0xf6));
  assert.notEqual(late, "ö");
  assert.equal(coder.encode(late), octets(0xf6));
  assert.equal(coder.encode(early), octets(0xe8));
});

test("attack 64: what would end a command is refused, in ASCII and beside other characters", () => {
  const coder = new NameCoder();
  for (const path of ["a\rb", "a\nDELE x", "é\0", "\r\n"]) {
    assert.throws(() => coder.encode(path), refused("UNSAFE_NAME", /CR|LF|NUL/), JSON.stringify(path));
  }
  assert.equal(coder.encode("a\tb"), "a\tb");
});

test("a character that the set does not have is named", () => {
  assert.throws(
    () => new NameCoder("latin1").encode("日"),
    refused("UNSAFE_NAME", /windows-1252 has no "日" \(U\+65E5\)/),
  );
  assert.throws(() => new NameCoder("shift_jis").encode("ab한"), refused("UNSAFE_NAME", /U\+D55C/));
  assert.throws(() => new NameCoder().encode("a\ud800"), refused("UNSAFE_NAME", /U\+D800/));
});

test("what is only shown is not remembered", () => {
  const coder = new NameCoder();
  assert.equal(coder.shown(octets(0xe9)), "é");
  assert.equal(coder.encode("é"), octets(0xc3, 0xa9));
  assert.equal(coder.shown(bytesOfText("名")), "名");
});

test("0xFF is left to the writer of the line", () => {
  const coder = new NameCoder("latin1");
  assert.equal(coder.encode("ÿ"), octets(0xff));
  assert.equal(coder.decode(octets(0xff)), "ÿ");
});

test("sets that are unknown, or in which a slash may be half a character, are refused", () => {
  for (const set of ["klingon", "utf-16le", "utf-16be", "iso-2022-jp", ""]) {
    assert.throws(() => new NameCoder(set), refused("USAGE", /character set/), set);
  }
});

test("ASCII is itself in every set, and nothing else becomes ASCII", () => {
  const ascii = String.fromCharCode(...Array.from({ length: 0x7f - 0x20 }, (_, index) => index + 0x20));
  for (const set of SETS) assert.equal(nameDecoder(set)?.decode(Buffer.from(ascii)), ascii, set);
});

test("accents that are taken apart are the same name", () => {
  assert.ok(sameName("caf\u00e9", "cafe\u0301"));
  assert.ok(sameName("a", "a"));
  assert.ok(!sameName("cafe", "caf\u00e9"));
  assert.ok(!sameName("a", "A"));
});

test("every name comes back to its octets while its set is guessed, and afterwards", () => {
  const russian = ["Документы", "Новая папка", "Музыка"].map((text) => {
    const table = encodeTable(nameDecoder("windows-1251") ?? assert.fail());
    return joined(Array.from(text, (character) => table.get(character) ?? character).join(""));
  });
  const others = ["Документы", "é", "я", "\ufffd", "名"].map(bytesOfText);
  const any = fc.oneof(name, fc.constantFrom(...russian, ...others, octets(0x98), octets(0xef, 0xbf)));
  fc.assert(
    fc.property(fc.array(any, { maxLength: 12 }), fc.array(any, { maxLength: 12 }), (before, after) => {
      const coder = new NameCoder();
      const names = [...before, ...russian, ...after].filter((each) => !each.includes("/"));
      const texts = new Map<string, ByteString>();
      for (const [index, each] of names.entries()) {
        const text = coder.decode(each);
        assert.ok([undefined, each].includes(texts.get(text)), "two names must not become one text");
        texts.set(text, each);
        coder.sample(each);
        if (index % 5 === 4) coder.settle();
      }
      for (const [text, each] of texts) assert.equal(coder.encode(text), each);
    }),
    { numRuns: 500 },
  );
});

test("names wait until enough of them were seen, and no longer", () => {
  const notes: string[] = [];
  const coder = new NameCoder(undefined, (what) => void notes.push(what));
  assert.equal(coder.sample(joined("ascii")), false);
  assert.equal(coder.sample(bytesOfText("é")), false);
  const latin = (index: number): ByteString => joined(`r\xe9sum\xe9 ${index}`);
  for (let index = 1; index < GUESS_NAMES; index += 1) assert.equal(coder.sample(latin(index)), true);
  assert.equal(coder.sample(latin(GUESS_NAMES)), false, "there are enough");
  coder.settle();
  assert.equal(coder.sample(latin(0)), false, "it is settled");
  assert.deepEqual(notes, [], "latin1 is what they are");
  assert.equal(coder.decode(latin(1)), "résumé 1");
});

test("a server of many names in UTF-8 is not asked for another set", () => {
  const coder = new NameCoder();
  for (let index = 0; index <= GUESS_PLAIN; index += 1) coder.sample(bytesOfText(`é ${index}`));
  assert.equal(coder.sample(joined("\xc4\xee\xea\xf3\xec\xe5\xed\xf2\xfb")), false);
});

test("a set that was chosen is not guessed", () => {
  const notes: string[] = [];
  const coder = new NameCoder("utf-8", (what) => void notes.push(what));
  assert.equal(coder.sample(joined("\xc4\xee\xea\xf3\xec\xe5\xed\xf2\xfb")), false);
  coder.settle();
  assert.equal(coder.decode(joined("\xc4\xee\xea\xf3")), "Äîêó");
  assert.deepEqual(notes, []);
});
