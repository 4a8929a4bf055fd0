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

type Change = { readonly path: VirtualPath; readonly facts: ReadonlyMap<string, string> };

/** Facts that can be set, and the reader of their values. */
const READERS: Readonly<Record<string, (value: string) => number | undefined>> = {
  modify: parseTimeVal,
  create: parseTimeVal,
  "unix.mode": parseMode,
};

export const mff: Command = command({
  verb: "MFF",
  access: "signed-in",
  feature: () => ["MFF Modify;Create;UNIX.mode;"],
  help: "MFF <fact=value;…> <path> - set facts: Modify, Create, UNIX.mode",
  source: "draft-somers-ftp-mfxx-03 §5",
  parse,
  async *run({ session, argument: { path, facts } }) {
    const { workspace } = session;
    const value = (name: string): number | undefined => READERS[name]?.(facts.get(name) ?? "");
    const [modified, created, bits] = [value("modify"), value("create"), value("unix.mode")];
    if (bits !== undefined) await workspace.setMode(path, bits);
    if (modified !== undefined) await workspace.setTimes(path, { modified });
    if (created !== undefined) await workspace.setTimes(path, { created });
    yield reply(213, `${[...facts].map(([name, text]) => `${name}=${text};`).join("")} ${path}`);
    return session;
  },
});

function parse(argument: ByteString, session: SignedIn): Change {
  const [list, rest] = splitWord(argument);
  const facts = new Map<string, string>();
  for (const part of list.split(";").filter((each) => each !== "")) {
    const [name = "", value = ""] = part.split("=");
    const known = name.toLowerCase();
    const read = Object.hasOwn(READERS, known) ? READERS[known] : undefined;
    if (read?.(value) === undefined)
      throw new Refusal(504, "MFF knows Modify, Create (YYYYMMDDHHMMSS) and UNIX.mode (octal).");
    facts.set(known, value);
  }
  if (facts.size === 0) throw new Refusal(501, "MFF needs fact=value; and a path.");
  return { path: pathArgument(joined(rest), session), facts };
}
