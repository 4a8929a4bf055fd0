/** Random and mutated command lines, from a seed: the same seed gives the same lines. */
import { COMMANDS } from "../../src/server/commands/index.ts";
import { SITE_COMMANDS } from "../../src/server/commands/site/index.ts";

/** A small generator (mulberry32): fast, and good enough to choose test input. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** QUIT and REIN would end what is to be tried; they have tests of their own. */
const VERBS: readonly string[] = [
  ...[...COMMANDS.keys()].filter((verb) => !["QUIT", "REIN", "USER", "PASS"].includes(verb)),
  ...[...SITE_COMMANDS.keys()].map((name) => `SITE ${name}`),
];
const ARGUMENTS: readonly string[] = [
  "",
  "a",
  "b",
  "/",
  ".",
  "..",
  "../..",
  "/../etc/passwd",
  "dir",
  "dir/c",
  "*",
  "*{a,b}*",
  "[a-",
  "-la",
  "-R",
  "--",
  "~",
  "A",
  "I",
  "L 8",
  "E",
  "F",
  "S",
  "ALL",
  "1",
  "2",
  "0",
  "-1",
  "99999999999999999999",
  "9223372036854775808",
  "1e3",
  "0x10",
  "127,0,0,1,200,1",
  "10,0,0,1,1,1",
  "127,0,0,1,0,21",
  "|1|127.0.0.1|50000|",
  "|2|::1|50000|",
  "|1|10.0.0.1|1|",
  "||||",
  "20240131123456 a",
  "99999999999999 a",
  "Modify=20240131123456; a",
  "644 a",
  "777",
  "0 1",
  "1 0",
  "5 2",
  "UTF8 ON",
  "MLST type;size;",
  "HASH MD5",
  "HASH",
  "a b",
  "x\xff\xfe",
  "\xe4\xb8\xad",
  "%n%s%x",
  "$(id)",
  ";id",
  "\x1b[31m",
  "a\tb",
  "/proc/self/root",
  ".ferryman-part.x",
  "con",
  "\\..\\..",
  "a".repeat(300),
  "/".repeat(500),
  "a/".repeat(1_500),
];

/** One line without its line end; any octet but LF may be in it. */
export function fuzzLine(next: () => number): string {
  // IAC is doubled, as Telnet asks of a client: a lone one would swallow the marker behind the line.
  return rawLine(next).replaceAll("\n", "").replaceAll("\xff", "\xff\xff");
}

function rawLine(next: () => number): string {
  const pick = <T>(from: readonly T[]): T => {
    const found = from[Math.floor(next() * from.length)];
    if (found === undefined) throw new Error("an empty list");
    return found;
  };
  if (next() < 0.05) return noise(next, Math.floor(next() * 60));
  let line = `${pick(VERBS)} ${pick(ARGUMENTS)}`;
  if (next() < 0.3) line = `${line}${pick(ARGUMENTS)}`;
  for (let mutations = next() < 0.4 ? Math.ceil(next() * 4) : 0; mutations > 0; mutations--) line = mutate(line, next);
  if (next() < 0.002) line += "A".repeat(5_000);
  // Verbs of HTTP end the session, which a test of its own shows.
  return line.replace(/^(?=(?:GET|PUT|POST|HEAD|PATCH|TRACE|OPTIONS|CONNECT)\b)/i, "X");
}

function mutate(line: string, next: () => number): string {
  const at = Math.floor(next() * (line.length + 1));
  const octet = String.fromCharCode(Math.floor(next() * 256));
  switch (Math.floor(next() * 5)) {
    case 0:
      return line.slice(0, at) + octet + line.slice(at);
    case 1:
      return line.slice(0, at) + line.slice(at + 1);
    case 2:
      return line.slice(0, at) + octet + line.slice(at + 1);
    case 3:
      return line.toLowerCase();
    default:
      return line.slice(at) + line.slice(0, at);
  }
}

function noise(next: () => number, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(Math.floor(next() * 256))).join("");
}
