/** HASH and the X-verbs: the digest of a file or a part of it. */
import { joined } from "../protocol/octets.ts";
import type { ByteString } from "../base/bytes.ts";
import type { DigestName } from "../protocol/digest.ts";
import { parseOffset } from "../protocol/numbers.ts";
import type { VirtualPath } from "../protocol/path.ts";
import { reply } from "../protocol/reply.ts";
import { pathArgument } from "./arguments.ts";
import { type Command, command } from "./command.ts";
import { Refusal } from "./errors.ts";
import { longWork } from "./long-work.ts";
import type { SignedIn } from "./session.ts";

type DigestOrder = { readonly path: VirtualPath; readonly start: number; readonly end: number | undefined };

/**
 * `path`, `path start` or `path start end`, as the X-verbs are used; a path in double quotes may end in digits.
 * Without quotes a path that is there as typed comes first.
 */
function digestArgument(argument: ByteString, session: SignedIn): readonly DigestOrder[] {
  const quoted = /^"([^"]+)"(?: (\d+))?(?: (\d+))?$/.exec(argument);
  if (quoted !== null) return [order(quoted, session)];
  const found = /^(.*?)(?: (\d+))(?: (\d+))?$/s.exec(argument);
  const whole = { path: pathArgument(argument, session), start: 0, end: undefined };
  return found === null || found[1] === "" ? [whole] : [whole, order(found, session)];
}

function order([, path = "", first, last]: RegExpExecArray, session: SignedIn): DigestOrder {
  const start = parseOffset(first ?? "0");
  const end = last === undefined ? undefined : parseOffset(last);
  if (start === undefined || (last !== undefined && (end === undefined || end < start))) {
    throw new Refusal(501, "Start and end must be octet counts, the start first.");
  }
  return { path: pathArgument(joined(path), session), start, end };
}

/** One of XCRC, XMD5, XSHA …: the same but for verb and algorithm. */
export function digestCommand(verb: Uppercase<string>, name: DigestName): Command {
  return command({
    verb,
    access: "signed-in",
    feature: () => [verb],
    help: `${verb} <path> [start [end]] - the ${name} digest of a file or a part of it`,
    source: "common use: FTP Voyager, Serv-U, ProFTPD mod_digest",
    parse: digestArgument,
    async run({ session, argument: orders, context, say }) {
      const { workspace } = session;
      const [whole, part] = orders;
      const chosen = part !== undefined && whole !== undefined && !(await workspace.exists(whole.path)) ? part : whole;
      if (chosen === undefined) throw new Refusal(501, "A path is needed.");
      const { path, start, end } = chosen;
      const { hex } = await longWork(context, path, async (signal) =>
        workspace.hash(path, { name, start, end, signal }),
      );
      say(reply(250, hex.toUpperCase()));
      return session;
    },
  });
}
