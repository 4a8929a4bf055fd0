/** In which zone a server writes LIST: asked of it once, by the true time of a file that a listing has shown. */
import { zoneMinutes } from "../protocol/listings/zone.ts";
import { parseTimeVal } from "../protocol/facts.ts";
import { FtpError } from "./errors.ts";
import type { Hub } from "./hub.ts";
import type { Entry } from "./types.ts";

const MINUTE_MS = 60_000;
/** Entries that wait for the first file of a listing, by which the zone is found; folders come first at many servers. */
const HELD_MOST = 1_000;
/** Files of one listing that are asked for, should some have changed meanwhile. */
const ASKED_MOST = 3;

/** What is known of each server's zone; undefined: it cannot be told. */
const zones = new WeakMap<Hub, Promise<number | undefined>>();

/** Entries with their times in UTC, as far as the server lets us find its zone. */
export async function* inUtc(hub: Hub, entries: AsyncIterable<Entry>, signal: AbortSignal): AsyncGenerator<Entry> {
  if (hub.zoneMinutes !== undefined && !zones.has(hub)) zones.set(hub, Promise.resolve(hub.zoneMinutes));
  let held: Entry[] = [];
  const files: Entry[] = [];
  for await (const entry of entries) {
    const known = zones.get(hub);
    if (known !== undefined && held.length === 0) {
      yield shifted(entry, await known);
      continue;
    }
    held.push(entry);
    if (tells(entry)) files.push(entry);
    if (files.length < ASKED_MOST && held.length < HELD_MOST) continue;
    yield* await released(hub, { held, files, signal });
    held = [];
  }
  yield* await released(hub, { held, files, signal });
}

type Held = { readonly held: readonly Entry[]; readonly files: readonly Entry[]; readonly signal: AbortSignal };

async function released(hub: Hub, { held, files, signal }: Held): Promise<Entry[]> {
  if (files.length > 0 && !zones.has(hub)) zones.set(hub, ask(hub, files, signal));
  const minutes = await zones.get(hub);
  return held.map((entry) => shifted(entry, minutes));
}

/** A file whose time is of the server's clock, to the minute or better. */
function tells({ type, modified }: Entry): boolean {
  return type === "file" && modified?.zone === "assumed" && modified.precision !== "day";
}

async function ask(hub: Hub, files: readonly Entry[], signal: AbortSignal): Promise<number | undefined> {
  const pairs = [];
  for (const { path, modified } of files) {
    if (modified === undefined) continue;
    try {
      const utc = await hub.call(async (session) => await timeOf(path, { session, signal }), {
        signal,
        retry: { attempts: 1 },
      });
      if (utc === undefined) continue;
      pairs.push({ listed: { ms: modified.ms, precision: modified.precision, zone: "server" as const }, utc });
    } catch (error) {
      if (signal.aborted || !(error instanceof FtpError)) throw error;
    }
  }
  return zoneMinutes(pairs);
}

async function timeOf(
  path: string,
  { session, signal }: { readonly session: Parameters<Parameters<Hub["call"]>[0]>[0]; readonly signal: AbortSignal },
): Promise<number | undefined> {
  const reply = await session.ask(`MDTM ${path}`, { signal });
  const text = reply.lines[0]?.trim();
  return reply.code === 213 && text !== undefined ? parseTimeVal(text) : undefined;
}

function shifted(entry: Entry, minutes: number | undefined): Entry {
  const { modified } = entry;
  if (minutes === undefined || modified?.zone !== "assumed") return entry;
  return { ...entry, modified: { ...modified, ms: modified.ms - minutes * MINUTE_MS } };
}
