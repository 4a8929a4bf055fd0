/** Sets a file's time, by whichever command the server has: MFMT, MDTM with two arguments, SITE UTIME (draft-somers-ftp-mfxx). */
import { formatTimeVal } from "../protocol/facts.ts";
import { FtpError } from "./errors.ts";
import type { Hub } from "./hub.ts";
import { replyError } from "./reply-errors.ts";
import type { FtpSession } from "./session.ts";

/** @returns the command that did it. @throws {FtpError} UNSUPPORTED where none does. */
export async function setTimeAt(
  path: string,
  modified: Date,
  {
    hub,
    session,
    signal,
  }: { readonly hub: Hub; readonly session: FtpSession; readonly signal: AbortSignal | undefined },
): Promise<string> {
  const ways = waysOf(path, modified, hub);
  const known = timeWays.get(hub);
  let last: FtpError | undefined;
  for (const [at, [name, line]] of ways.entries()) {
    if (known !== undefined && known !== at) continue;
    const reply = await session.ask(line, { signal });
    if (reply.code < 300) {
      timeWays.set(hub, at);
      return name;
    }
    last = replyError(`cannot set the time of ${path}`, reply, { phase: "command", command: line });
    // Other refusals are of the file and not of the command.
    if (name === "MFMT" && last.code !== "UNSUPPORTED") throw last;
  }
  if (known === undefined) timeWays.set(hub, ways.length);
  throw last ?? new FtpError("UNSUPPORTED", `the server cannot set the time of ${path}`, { phase: "command" });
}

/** Which way each server takes; one that is past the last: none. */
const timeWays = new WeakMap<Hub, number>();

type Way = readonly [name: string, line: string];

function waysOf(path: string, modified: Date, { info: { features } }: Hub): readonly Way[] {
  const stamp = formatTimeVal(Math.floor(modified.getTime() / 1000) * 1000);
  return [
    ...(features.has("MFMT") ? [["MFMT", `MFMT ${stamp} ${path}`] as const] : []),
    ["MDTM", `MDTM ${stamp} ${path}`],
    ["SITE UTIME", `SITE UTIME ${path} ${stamp} ${stamp} ${stamp} UTC`],
    ["SITE UTIME", `SITE UTIME ${stamp} ${path}`],
  ];
}

/** The command that sets a time at this server, once one has. */
export function timeLine(path: string, modified: Date, hub: Hub): string | undefined {
  const known = timeWays.get(hub);
  return known === undefined ? undefined : waysOf(path, modified, hub)[known]?.[1];
}
