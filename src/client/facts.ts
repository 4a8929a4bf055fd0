/** What a server says of one file or folder, by whichever commands it has: MLST, or SIZE and MDTM. */
import { modeOf } from "../protocol/listings/mlsd.ts";
import { parseFactsLine, parseTimeVal } from "../protocol/facts.ts";
import { FtpError, type FtpReply } from "./errors.ts";
import type { Hub } from "./hub.ts";
import { replyError } from "./reply-errors.ts";
import type { FtpSession } from "./session.ts";
import type { Entry, EntryTime, EntryType } from "./types.ts";

/** What a transfer has to know of its source. */
export type SourceFacts = { readonly size: number | undefined; readonly modified: EntryTime | undefined };

export type Asking = { readonly hub: Hub; readonly session: FtpSession; readonly signal: AbortSignal | undefined };

/** @throws {FtpError} NOT_FOUND, DENIED … */
export async function statOf(path: string, asking: Asking): Promise<Entry> {
  const { hub, session, signal } = asking;
  const what = `cannot look at ${path}`;
  if (hub.info.features.has("MLST")) {
    const reply = await session.ask(`MLST ${path}`, { signal });
    if (reply.code < 300) {
      const entry = entryOfMlst(reply, path, hub);
      if (entry !== undefined) return entry;
    } else if (reply.code !== 500 && reply.code !== 502 && reply.code !== 504) {
      throw replyError(what, reply, { phase: "command", command: `MLST ${path}` });
    }
  }
  return await statByPieces(path, asking, what);
}

async function statByPieces(path: string, asking: Asking, what: string): Promise<Entry> {
  const { hub, session, signal } = asking;
  const size = await askSize(path, asking);
  if (typeof size === "number") {
    return { ...named(path, hub), type: "file", size, modified: await askTime(path, asking) };
  }
  // Neither a size nor a folder that can be entered: it is not there, or not for us.
  const entered = await session.ask(`CWD ${path}`, { signal });
  if (entered.code >= 400) throw replyError(what, size, { phase: "command", command: `SIZE ${path}` });
  await session.comeHome(signal);
  return { ...named(path, hub), type: "directory" };
}

function named(path: string, hub: Hub): Pick<Entry, "name" | "path" | "raw"> {
  const name = path.replace(/\/+$/, "").split("/").at(-1) ?? "";
  return { name: name === "" ? "/" : name, path, raw: hub.names.encode(name) };
}

/** Of a file; for a transfer that nobody has told of. What the server does not say stays unknown. */
export async function sourceFacts(path: string, asking: Asking): Promise<SourceFacts> {
  const { hub, session, signal } = asking;
  if (hub.info.features.has("MLST")) {
    const reply = await session.ask(`MLST ${path}`, { signal });
    const entry = reply.code < 300 ? entryOfMlst(reply, path, hub) : undefined;
    // Of a link these are facts of the link itself; SIZE and MDTM tell of what it leads to.
    if (entry?.type === "file") return { size: entry.size, modified: entry.modified };
  }
  const size = await askSize(path, asking);
  return { size: typeof size === "number" ? size : undefined, modified: await askTime(path, asking) };
}

/** SIZE counts the octets of TYPE I only where that is set (RFC 3659 §4). @returns the refusal where there is none. */
export async function askSize(path: string, { session, signal }: Asking): Promise<number | FtpReply> {
  await session.setType("I", signal);
  const reply = await session.ask(`SIZE ${path}`, { signal });
  return sizeOfReply(reply) ?? reply;
}

/** To SIZE (RFC 3659 §4.2). */
export function sizeOfReply({ code, lines }: FtpReply): number | undefined {
  const size = code === 213 ? /^\s*(\d{1,16})\s*$/.exec(lines[0] ?? "")?.[1] : undefined;
  return size !== undefined && Number.isSafeInteger(Number(size)) ? Number(size) : undefined;
}

export async function askTime(path: string, { session, signal, hub }: Asking): Promise<EntryTime | undefined> {
  if (!maySayTime(hub)) return undefined;
  return timeOfReply(await session.ask(`MDTM ${path}`, { signal }));
}

/** A server that lists what it can do lists MDTM too. */
export function maySayTime({ info: { features } }: Hub): boolean {
  return features.size === 0 || features.has("MDTM");
}

/** To MDTM (RFC 3659 §3.3). */
export function timeOfReply(reply: FtpReply): EntryTime | undefined {
  return reply.code === 213 ? timeOf(reply.lines[0]?.trim()) : undefined;
}

function timeOf(text: string | undefined): EntryTime | undefined {
  const ms = text === undefined ? undefined : parseTimeVal(text);
  return ms === undefined ? undefined : { ms, precision: "second", zone: "utc" };
}

/** The line between the first and the last (RFC 3659 §7.2). */
function entryOfMlst(reply: FtpReply, path: string, hub: Hub): Entry | undefined {
  const line = reply.lines[1]?.replace(/^ /, "");
  const parsed = line === undefined ? undefined : parseFactsLine(hub.names.encode(line));
  if (parsed === undefined) return undefined;
  const { facts } = parsed;
  const type = typeOf(facts.get("type"));
  const size = Number(facts.get("size"));
  const mode = modeOf(facts.get("unix.mode"));
  return {
    ...named(path, hub),
    type,
    ...(type !== "directory" && facts.has("size") && Number.isSafeInteger(size) ? { size } : {}),
    modified: timeOf(facts.get("modify")),
    ...(mode === undefined ? {} : { mode: mode.bits }),
    owner: facts.get("unix.ownername") ?? facts.get("unix.owner"),
    group: facts.get("unix.groupname") ?? facts.get("unix.group"),
  };
}

function typeOf(fact: string | undefined): EntryType {
  const type = fact?.toLowerCase();
  if (type === "file") return "file";
  if (type === "dir" || type === "cdir" || type === "pdir") return "directory";
  return type?.startsWith("os.unix=slink") === true || type?.startsWith("os.unix=symlink") === true ? "link" : "other";
}

/** For those who must know whether something is there, and what. */
export async function existsAt(path: string, asking: Asking): Promise<false | EntryType> {
  try {
    return (await statOf(path, asking)).type;
  } catch (error) {
    if (error instanceof FtpError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}
