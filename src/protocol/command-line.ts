/** A line into a verb and its argument: RFC 959 §5.3. What the argument means is the command's own affair. */
import type { ByteString } from "../base/bytes.ts";
import { VERB_LIMIT } from "./limits.ts";
import { joined } from "./octets.ts";

export type CommandLine = {
  /** 1 to 16 ASCII letters and digits in upper case. */
  readonly verb: string;
  /** All octets after the one space: further and trailing spaces are part of a name (RFC 3659 §2.2). "" if there are none. */
  readonly argument: ByteString;
};

// oxlint-disable-next-line no-control-regex -- the octets that end a line or a name of the host (attack 33)
const LINE_BREAKERS = /[\0\r\n]/;
const VERB = new RegExp(`^[A-Za-z0-9]{1,${VERB_LIMIT}}$`);

/** @returns undefined for a line without a well-formed verb, or with NUL, CR or LF anywhere: the reply is 500. */
export function parseCommandLine(line: ByteString): CommandLine | undefined {
  const space = line.indexOf(" ");
  const verb = space === -1 ? line : line.slice(0, space);
  if (!VERB.test(verb) || LINE_BREAKERS.test(line)) return undefined;
  // VERB is ASCII, so this folds ASCII alone: `ı` and `ſ` never become I and S.
  return { verb: verb.toUpperCase(), argument: joined(space === -1 ? "" : line.slice(space + 1)) };
}
