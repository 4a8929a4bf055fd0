/** MFMT and MFCT: one time fact of a file, set (draft-somers-ftp-mfxx-03). */
import { joined } from "../protocol/octets.ts";
import type { ByteString } from "../base/bytes.ts";
import { formatTimeVal, parseTimeVal } from "../protocol/facts.ts";
import { type VirtualPath } from "../protocol/path.ts";
import { pathArgument } from "./arguments.ts";
import { Refusal } from "./errors.ts";
import type { SignedIn } from "./session.ts";

/** `typed` is the path as the client wrote it, which is what replies name. */
export type TimeOrder = { readonly time: number; readonly path: VirtualPath; readonly typed: ByteString };

/** `YYYYMMDDHHMMSS path`, in UTC. */
export function timeArgument(argument: ByteString, session: SignedIn): TimeOrder {
  const found = /^(\S+) (.+)$/s.exec(argument);
  const time = parseTimeVal(found?.[1] ?? "");
  if (found === null || time === undefined)
    throw new Refusal(501, "A time as YYYYMMDDHHMMSS in UTC is needed, then a path.");
  const typed = joined(found[2] ?? "");
  return { time, path: pathArgument(typed, session), typed };
}

/** §3.1 and §4.1: the fact as it stands now, then the path. */
export function timeReply(fact: "Modify" | "Create", { time, typed }: TimeOrder): string {
  return `${fact}=${formatTimeVal(time)}; ${typed}`;
}
