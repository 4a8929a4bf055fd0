import { joined } from "../../protocol/octets.ts";
import { formatTimeVal, parseTimeVal } from "../../protocol/facts.ts";
import { reply } from "../../protocol/reply.ts";
import { pathArgument, splitWord } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import type { SignedIn } from "../session.ts";
import type { VirtualPath } from "../../protocol/path.ts";
import type { ByteString } from "../../base/bytes.ts";

type Asked = { readonly path: VirtualPath; readonly set?: { readonly time: number; readonly path: VirtualPath } };

export const mdtm: Command = command({
  verb: "MDTM",
  access: "signed-in",
  feature: () => ["MDTM"],
  keepsPending: true,
  help: "MDTM [YYYYMMDDHHMMSS] <path> - tell or set the time of the last change, in UTC",
  source: "RFC 3659 §3",
  parse,
  async run({ session, argument: { path, set }, say }) {
    const { workspace } = session;
    if (set !== undefined && !(await workspace.exists(path))) {
      await workspace.setTimes(set.path, { modified: set.time });
      say(reply(213, "Date and time set."));
      return session;
    }
    say(reply(213, formatTimeVal((await workspace.stat(path)).modified)));
    return session;
  },
});

/** MDTM as a setter is older than MFMT and rests on a name that begins like a time; a file of that very name comes first. */
function parse(argument: ByteString, session: SignedIn): Asked {
  const path = pathArgument(argument, session);
  const [first, rest] = splitWord(argument);
  const time = rest === "" ? undefined : parseTimeVal(first);
  if (time === undefined) return { path };
  return { path, set: { time, path: pathArgument(joined(rest), session) } };
}
