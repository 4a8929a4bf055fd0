/**
 * Arguments of LIST, NLST and STAT as people type them: `-la`, `-l -a path`. RFC 959 knows paths alone, but clients send
 * the flags of `ls`. Unknown flags are skipped, and no number is ever read (attack 47).
 */
import type { ByteString } from "../base/bytes.ts";
import { joined } from "./octets.ts";

/** The flags of `ls` that change anything: all, almost all, long, recursive, by time, by size, reverse, one column, the folder itself, marks. */
const LIST_FLAGS = ["a", "A", "l", "R", "t", "S", "r", "1", "d", "F"] as const;
export type ListFlag = (typeof LIST_FLAGS)[number];
export type ListFlags = ReadonlySet<ListFlag>;
export type ListArguments = {
  readonly flags: ListFlags;
  /** "" if none is given. Its spaces are kept. */
  readonly path: ByteString;
};

/**
 * Leading words of `-` and letters or digits, and long ones (`--color=auto`), are flags; one space ends each. Everything
 * from the first other word on is the path, so `-my.file` is one, and after `--` whatever comes.
 */
export function parseListArguments(argument: ByteString): ListArguments {
  const typed = new Set<string>();
  let start = 0;
  while (start < argument.length) {
    const space = argument.indexOf(" ", start);
    const end = space === -1 ? argument.length : space;
    const word = argument.slice(start, end);
    if (!/^-(?:-|[A-Za-z0-9]+|-[a-z][a-z-]*(?:=.*)?)$/.test(word)) break;
    start = end + 1;
    if (word === "--") break;
    if (!word.startsWith("--")) for (const letter of word) typed.add(letter);
  }
  return { flags: new Set(LIST_FLAGS.filter((flag) => typed.has(flag))), path: joined(argument.slice(start)) };
}
