import { joined } from "../../protocol/octets.ts";
import type { ByteString } from "../../base/bytes.ts";
import { parseTimeVal } from "../../protocol/facts.ts";
import { parseMode } from "../../protocol/numbers.ts";
import type { VirtualPath } from "../../protocol/path.ts";
import { reply } from "../../protocol/reply.ts";
import { pathArgument, splitWord } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import type { SignedIn } from "../session.ts";

type Change = {
  readonly path: VirtualPath;
  /** The path as the client wrote it. */
  readonly typed: ByteString;
  readonly facts: ReadonlyMap<string, string>;
};

/**
 * Facts that can be set, and the reader of their values; in the order in which they are set: the time of creation first,
 * as few storages can and a refusal should come before any change.
 */
const READERS = new Map<string, (value: string) => number | undefined>([
  ["Create", parseTimeVal],
  ["Modify", parseTimeVal],
  ["UNIX.mode", parseMode],
]);

export const mff: Command = command({
  verb: "MFF",
  access: "signed-in",
  feature: () => ["MFF Modify;UNIX.mode;"],
  help: "MFF <fact=value;…> <path> - set facts: Modify, Create, UNIX.mode",
  source: "draft-somers-ftp-mfxx-03 §5",
  parse,
  async run({ session, argument: { path, typed, facts }, say }) {
    const { workspace } = session;
    const value = (name: string): number | undefined => READERS.get(name)?.(facts.get(name) ?? "");
    const [created, modified, bits] = [value("Create"), value("Modify"), value("UNIX.mode")];
    if (created !== undefined) await workspace.setTimes(path, { created });
    if (modified !== undefined) await workspace.setTimes(path, { modified });
    if (bits !== undefined) await workspace.setMode(path, bits);
    const done = [...READERS.keys()].filter((name) => facts.has(name)).map((name) => `${name}=${facts.get(name)};`);
    say(reply(213, `${done.join("")} ${typed}`));
    return session;
  },
});

function parse(argument: ByteString, session: SignedIn): Change {
  const [list, rest] = splitWord(argument);
  const facts = new Map<string, string>();
  for (const part of list.split(";").filter((each) => each !== "")) {
    const [name = "", value = ""] = part.split("=");
    const known = [...READERS.keys()].find((each) => each.toLowerCase() === name.toLowerCase());
    // draft §5.5: an unknown fact is another thing than a value that is none.
    if (known === undefined) throw new Refusal(504, "MFF knows the facts Modify, Create and UNIX.mode.");
    if (READERS.get(known)?.(value) === undefined)
      throw new Refusal(501, "Modify and Create are YYYYMMDDHHMMSS in UTC, UNIX.mode is in octal.");
    facts.set(known, value);
  }
  if (facts.size === 0) throw new Refusal(501, "MFF needs fact=value; and a path.");
  return { path: pathArgument(joined(rest), session), typed: joined(rest), facts };
}
