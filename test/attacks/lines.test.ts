/** Attacks on the reading of command lines and their arguments, at the wire: 33, 42 to 47, 49, 51. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { assert as holds, asyncProperty, array, integer } from "fast-check";
import { LINE_LIMIT } from "../../src/protocol/limits.ts";
import { snapshot } from "../support/attack.ts";
import { startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

/** Sends octets as they are, and SYST. @returns the codes of all replies before that of SYST. */
async function codesOf(wire: Wire, octets: string): Promise<number[]> {
  wire.socket.write(Buffer.from(`${octets}SYST\r\n`, "latin1"));
  const codes: number[] = [];
  for (;;) {
    const { code } = await wire.reply();
    if (code === 215) return codes;
    codes.push(code);
  }
}

test("attack 33: NUL, CR and LF in a user name are refused, and split nothing off", async () => {
  await using server = await startServer();
  for (const name of ["ann\0", "\0ann", "ann\0root", "ann\rPASS secret", "a\r\0nn", "ann\r\0\nPASS secret", "ann\r"]) {
    using wire = await Wire.open(server.port);
    const codes = await codesOf(wire, `USER ${name}\r\nPASS secret\r\n`);
    const label = JSON.stringify(name);
    assert.equal(codes.length, 2, `${label}: ${codes.join()}`);
    assert.ok(codes[0] !== undefined && codes[0] >= 500, label);
    assert.equal(codes[1], 503, label);
  }
  // A bare LF ends a line, so what follows is a line of its own - and no password gets through by it.
  using wire = await Wire.open(server.port);
  assert.deepEqual(await codesOf(wire, "USER an\nPWD\r\n"), [331, 530]);
  assert.equal(server.events.filter(({ type }) => type === "login.accepted").length, 0);
});

/** A session without its data connections, whose ports differ from run to run. */
const SESSION = [
  "SYST",
  "USER ann",
  "PASS secret",
  "PWD",
  "MKD a b",
  "CWD a b",
  "PWD",
  "CDUP",
  "RNFR a b",
  "RNTO c\xff\xffd",
  "MLST nothing",
  "TYPE I",
  "REST 5",
  "\xff\xf4\xff\xf2ABOR",
  "XYZZY",
  "no verb here",
  "",
  "\xff\xfd\x06NOOP",
  `STOR ${"x".repeat(LINE_LIMIT)}`,
  "rmd c\xff\xffd",
  "SITE HELP",
  "NOOP\r\0",
  "STAT nothing",
  "QUIT",
];
const OCTETS = Buffer.from(SESSION.map((line) => `${line}\r\n`).join(""), "latin1");

async function replay(port: number, chunks: Iterable<Buffer>): Promise<readonly string[]> {
  using wire = await Wire.open(port);
  const sending = (async () => {
    for (const chunk of chunks) {
      if (!wire.socket.write(chunk)) await once(wire.socket, "drain");
      await turn();
    }
  })();
  const lines: string[] = [];
  for (;;) {
    const { code, lines: texts } = await wire.reply();
    lines.push(`${code} ${texts.join("/")}`);
    if (code === 221) break;
  }
  await sending;
  return lines;
}

function* cut(sizes: readonly number[]): Generator<Buffer, void, void> {
  for (let at = 0, index = 0; at < OCTETS.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    yield OCTETS.subarray(at, at + size);
    at += size;
  }
}

test("attack 42: a session gives the same replies however its octets are split", async () => {
  await using server = await startServer();
  const whole = await replay(server.port, [OCTETS]);
  assert.equal(whole.length, SESSION.length);
  assert.deepEqual(await replay(server.port, cut([1])), whole);
  const sizes = array(integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 });
  await holds(
    asyncProperty(sizes, async (chosen) => {
      assert.deepEqual(await replay(server.port, cut(chosen)), whole);
    }),
    { numRuns: 25 },
  );
});

const ENDLESS_MIB = 64;
/** Octets by which the process, which is both ends here, may grow: half of the line would be more. */
const ENDLESS_GROWTH = 32 * 1024 ** 2;

async function pour(wire: Wire, mebibytes: number, look: () => void): Promise<void> {
  const block = Buffer.alloc(65_536, "A");
  for (let sent = 0; sent < mebibytes * 16; sent++) {
    if (!wire.socket.write(block)) await once(wire.socket, "drain");
    if (sent % 64 === 0) look();
  }
}

test("attacks 43 and 45: 64 MiB without LF: one 500, flat memory, no work afterwards, and the session lives", async () => {
  await using server = await startServer();
  using wire = await Wire.login(server.port);
  // The first time brings the process to its working size.
  await pour(wire, ENDLESS_MIB, () => {});
  const before = process.memoryUsage.rss();
  let most = 0;
  await pour(wire, ENDLESS_MIB, () => {
    most = Math.max(most, process.memoryUsage.rss());
  });
  await wire.expect(500);
  assert.ok(most - before < ENDLESS_GROWTH, `grew by ${(most - before) / 1024 ** 2} MiB`);
  // The line is still not over; all of it that comes is dropped in silence, and costs nothing while none comes.
  assert.ok((await idleShare()) < 0.2);
  assert.deepEqual(await codesOf(wire, "DELE x\r\n"), []);
  await wire.expect(200, "NOOP");
  assert.ok((await idleShare()) < 0.2);
});

/** The share of one processor that this process uses while nothing is to be done. */
async function idleShare(): Promise<number> {
  await delay(50);
  const wall = performance.now();
  const start = process.cpuUsage();
  await delay(300);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / (performance.now() - wall);
}

test("attack 44: the tail of an over-long line is never run", async () => {
  await using server = await startServer();
  writeFileSync(join(server.root, "victim.txt"), "here");
  using wire = await Wire.login(server.port);
  for (let length = LINE_LIMIT - 30; length < LINE_LIMIT + 30; length++) {
    const codes = await codesOf(wire, `${"A".repeat(length)}DELE victim.txt\r\n`);
    assert.deepEqual(codes, [500], `${length}`);
  }
  for (const filler of ["STOR ", "/", " ", "\r", "\0", "\r\0", "\xff\xff"]) {
    const line = filler.repeat(Math.ceil(LINE_LIMIT / filler.length) + 600);
    const codes = await codesOf(wire, `${line}DELE victim.txt\r\n`);
    assert.deepEqual(codes, [500], JSON.stringify(filler));
  }
  // A Telnet subnegotiation without its end.
  assert.deepEqual(await codesOf(wire, `\xff\xfa${"x".repeat(600)}DELE victim.txt\r\n`), [500]);
  // In segments of its own, right at the limit.
  wire.socket.write("A".repeat(LINE_LIMIT));
  await wire.expect(500);
  assert.deepEqual(await codesOf(wire, "DELE victim.txt\r\n"), []);
  assert.equal(readFileSync(join(server.root, "victim.txt"), "utf8"), "here");
});

const PATTERNS = [
  "*{a,b}*".repeat(40),
  "{a,b}".repeat(40),
  `${"{".repeat(1_000)}a,b${"}".repeat(1_000)}`,
  "*/../".repeat(40) + "*",
  "*/../*/..",
  "*/../*/../*",
  "../*/".repeat(20),
  `${"*a".repeat(100)}b`,
  `${"*".repeat(2_000)}x`,
  `${"?*".repeat(500)}x`,
  "[",
  "[".repeat(2_000),
  "[a-",
  "[!",
  "[]",
  `${"[a-z]*".repeat(100)}!`,
  "{",
  "{a,",
  "{a,{b,{c,",
  "\\",
  "**/**/**/**/**/x",
];

test("attack 46: no pattern takes long, whatever it looks like", async () => {
  await using server = await startServer();
  for (let folder = 0; folder < 30; folder++) {
    mkdirSync(join(server.root, `folder-aaaaaaaa-${folder}`));
    for (let file = 0; file < 10; file++) {
      writeFileSync(join(server.root, `folder-aaaaaaaa-${folder}`, `ab${"a".repeat(60)}${file}`), "");
    }
  }
  using wire = await Wire.login(server.port);
  const timed = async (line: string): Promise<number> => {
    const start = performance.now();
    const { code } = await wire.ask(line);
    assert.ok([212, 213, 550, 553].includes(code), `${line.slice(0, 60)}: ${code}`);
    return performance.now() - start;
  };
  const plain: number[] = [];
  for (let turns = 0; turns < 9; turns++) plain.push(await timed("STAT ."));
  const usual = plain.toSorted((one, other) => one - other)[4] ?? 0;
  const limit = Math.max(50, usual * 20);
  for (const pattern of PATTERNS) {
    // The best of three: the machine may have been busy with something else.
    let best = Infinity;
    for (let turns = 0; turns < 3 && best > limit; turns++) best = Math.min(best, await timed(`STAT ${pattern}`));
    assert.ok(best < limit, `${pattern.slice(0, 60)}: ${best} ms, and ${usual} ms for a plain one`);
  }
  for (const verb of ["LIST", "NLST"]) {
    for (const pattern of PATTERNS) {
      const { codes } = await wire.fetch(`${verb} ${pattern}`);
      assert.ok(["150,226", "550", "553"].includes(codes.join()), `${verb} ${pattern.slice(0, 60)}: ${codes.join()}`);
    }
  }
});

test("attack 47: list options that are none of ours are passed over, and numbers are not read", async () => {
  await using server = await startServer();
  for (const name of ["one", "two", "three"]) writeFileSync(join(server.root, name), name);
  using wire = await Wire.login(server.port);
  const plain = (await wire.fetch("LIST")).data.toString("latin1");
  for (const options of [
    "-B -C",
    "-B",
    "-C",
    "-Z",
    "-BCZkq",
    "--width=1000000",
    "--color=always",
    "-w99999999999999",
    `-T${"9".repeat(3_000)}`,
  ]) {
    const { data, codes } = await wire.fetch(`LIST ${options}`);
    assert.deepEqual([codes, data.toString("latin1")], [[150, 226], plain], options.slice(0, 30));
  }
  // A number apart is a name like any other: nothing has it.
  for (const options of ["-w 1000000 -B -C", "-T -1", "-w 18446744073709551616", "-I *", "-b4096 -w -1"]) {
    const { codes } = await wire.fetch(`LIST ${options}`);
    assert.ok(["150,226", "550"].includes(codes.join()), `${options}: ${codes.join()}`);
    const { code } = await wire.ask(`STAT ${options}`);
    assert.ok([212, 213, 550].includes(code), `STAT ${options}: ${code}`);
  }
  await wire.expect(200, "NOOP");
});

const LINES = ["NOOP", "TYPE I", "CWD ab", "STAT -l a", "RNFR one", "SITE HELP", "MDTM 20200101000000 one"];
const [LF, CR, IAC] = [10, 13, 255];

test("attack 49: every octet at every place of a line has one answer", async () => {
  await using server = await startServer();
  writeFileSync(join(server.root, "one"), "one");
  using wire = await Wire.login(server.port);
  for (const line of LINES) {
    for (let at = 0; at < line.length; at++) {
      for (let octet = 0; octet < 256; octet++) {
        const changed = `${line.slice(0, at)}${String.fromCharCode(octet)}${line.slice(at + 1)}`;
        const codes = await codesOf(wire, `${changed}\r\n`);
        const label = `${line}, ${octet} at ${at}: ${codes.join()}`;
        // A LF makes two lines of it. An IAC takes the next octet with it, the CR of the line's end too.
        assert.equal(codes.length, octet === LF ? 2 : 1, label);
        if (octet === IAC || octet === CR) continue;
        assert.ok(
          codes.every((code) => code >= 200 && code < 600 && code !== 421 && code !== 451),
          label,
        );
      }
    }
  }
  assert.deepEqual(
    server.events.filter(({ type }) => type === "server.fault"),
    [],
  );
});

const BAD_OFFSETS = [
  "-1",
  "9223372036854775808",
  "18446744073709551616",
  "9007199254740992",
  "1e3",
  "0x10",
  " 5",
  "5 ",
  "+5",
  "5.0",
  "",
  "٥",
  "NaN",
  "Infinity",
  "5;",
];

test("attack 51: REST, RANG and ALLO take plain numbers alone, and files stay as they are", async () => {
  await using server = await startServer();
  writeFileSync(join(server.root, "file.bin"), "0123456789");
  const before = snapshot(server.root);
  using wire = await Wire.login(server.port);
  await wire.expect(200, "TYPE I");
  const reject = async (line: string): Promise<void> => {
    const { code } = await wire.ask(line);
    assert.equal(code, 501, line);
  };
  for (const offset of BAD_OFFSETS) {
    await reject(`REST ${offset}`);
    await reject(`RANG ${offset} 9`);
    await reject(`RANG 0 ${offset}`);
    // Nothing of it sticks: the next transfer is of the whole file.
    const { data } = await wire.fetch("RETR file.bin");
    assert.equal(data.toString(), "0123456789", offset);
  }
  for (const argument of ["5 2", "5", "1 2 3", "9 8"]) await reject(`RANG ${argument}`);
  for (const argument of ["-1", "1e3", "0x10", "", "x", "5 R", "9".repeat(40)]) await reject(`ALLO ${argument}`);
  for (const offset of [11, 4096, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    for (const verb of ["RETR", "STOR", "APPE"]) {
      await wire.expect(350, `REST ${offset}`);
      const codes =
        verb === "RETR" ? (await wire.fetch("RETR file.bin")).codes : await wire.store(`${verb} file.bin`, "tail");
      assert.ok(codes.at(-1) === 550 || codes.at(-1) === 501, `REST ${offset}, ${verb}: ${codes.join()}`);
    }
    await wire.expect(350, `RANG ${offset} ${Number.MAX_SAFE_INTEGER}`);
    assert.deepEqual((await wire.fetch("RETR file.bin")).codes, [550]);
  }
  await wire.expect(350, `RANG 7 ${Number.MAX_SAFE_INTEGER}`);
  assert.equal((await wire.fetch("RETR file.bin")).data.toString(), "789");
  assert.deepEqual(snapshot(server.root), before);
});
