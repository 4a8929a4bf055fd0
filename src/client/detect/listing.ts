/**
 * What a server's listings are like: MLSD or LIST, in which zone LIST tells the time, and which small file there is to try
 * things with.
 */
import { parseTimeVal } from "../../protocol/facts.ts";
import { type ZonePair, zoneMinutes } from "../../protocol/listings/zone.ts";
import { FtpError, shownReply } from "../errors.ts";
import { readListing } from "../listing.ts";
import type { Entry, Listing } from "../types.ts";
import { FILES_COMPARED, FOLDERS_LOOKED_INTO, PROBE_FILE_MOST } from "./limits.ts";
import { type Probe, fetchListing } from "./probe-session.ts";

export type ListingFindings = {
  readonly kind: "mlsd" | "list";
  readonly zoneMinutes: number | undefined;
  /** A file of some octets, to try things with. */
  readonly smallFile: { readonly path: string; readonly size: number } | undefined;
  readonly warnings: readonly string[];
};

/** @throws {FtpError} where not even LIST works; the signal's reason. */
export async function tryListings(probe: Probe, signal: AbortSignal | undefined): Promise<ListingFindings> {
  const { hub, session } = probe;
  const warnings: string[] = [];
  const hasMlsd = hub.info.features.has("MLST") && (await mlsdWorks(probe, { signal, warnings }));
  const files: Entry[] = [];
  const folders = [hub.info.home];
  for (let looked = 0; looked < FOLDERS_LOOKED_INTO && files.length < FILES_COMPARED; looked += 1) {
    const folder = folders[looked];
    if (folder === undefined) break;
    const listing = await listed(probe, folder, signal);
    const entries = await listing.toArray();
    if (looked === 0 && listing.warnings.length > 0) warnings.push(`LIST: ${listing.warnings[0]}`);
    files.push(...entries.filter(({ type }) => type === "file"));
    // Paths without a slash at the front are of systems whose folders are not built like ours.
    folders.push(
      ...entries.filter(({ type, path }) => type === "directory" && path.startsWith("/")).map(({ path }) => path),
    );
    if (session.isLost) break;
  }
  return {
    kind: hasMlsd ? "mlsd" : "list",
    zoneMinutes: await zoneOf(probe, files, { signal, warnings }),
    smallFile: smallOf(files),
    warnings,
  };
}

type Asked = { readonly signal: AbortSignal | undefined; readonly warnings: string[] };

async function mlsdWorks({ hub, session }: Probe, { signal, warnings }: Asked): Promise<boolean> {
  try {
    const { chunks } = await fetchListing(session, { command: "MLSD", folder: hub.info.home, signal });
    const terms = { kind: "mlsd" as const, folder: hub.info.home, coder: hub.names, now: Date.now() };
    const listing = readListing(arrived(chunks), terms);
    await listing.toArray();
    if (listing.warnings.length > 0) warnings.push(`MLSD: ${listing.warnings[0]}`);
    return true;
  } catch (error) {
    if (!(error instanceof FtpError) || error.reply === undefined || session.isLost) throw error;
    warnings.push(`FEAT offers MLST, but MLSD does not work: ${shownReply(error.reply)}`);
    return false;
  }
}

async function listed({ hub, session }: Probe, folder: string, signal: AbortSignal | undefined): Promise<Listing> {
  let chunks: readonly Buffer[] = [];
  try {
    ({ chunks } = await fetchListing(session, { command: "LIST", folder, signal }));
  } catch (error) {
    // A folder that is closed to us says nothing; one that is the home does.
    if (folder === hub.info.home || !(error instanceof FtpError) || error.reply === undefined) throw error;
  }
  return readListing(arrived(chunks), { kind: "list", folder, coder: hub.names, now: Date.now() });
}

async function* arrived(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
  return await Promise.resolve();
}

/** From files that were changed last: summer time has passed over older ones. */
async function zoneOf(
  { session }: Probe,
  files: readonly Entry[],
  { signal, warnings }: Asked,
): Promise<number | undefined> {
  const dated = files.filter(({ modified }) => modified !== undefined && modified.precision !== "day");
  const newest = dated.toSorted((one, other) => (other.modified?.ms ?? 0) - (one.modified?.ms ?? 0));
  const pairs: ZonePair[] = [];
  for (const { path, modified } of newest.slice(0, FILES_COMPARED)) {
    if (modified === undefined || session.isLost) break;
    const reply = await session.ask(`MDTM ${path}`, { signal });
    const utc = reply.code === 213 ? parseTimeVal(reply.lines[0]?.trim() ?? "") : undefined;
    if (utc !== undefined)
      pairs.push({ listed: { ms: modified.ms, precision: modified.precision, zone: "server" }, utc });
  }
  const minutes = zoneMinutes(pairs);
  if (minutes === undefined && pairs.length > 0) {
    warnings.push("the times of LIST and MDTM fit no time zone: times of files may be wrong");
  }
  return minutes;
}

/** The smallest that is not empty. */
function smallOf(files: readonly Entry[]): ListingFindings["smallFile"] {
  const sized = files.flatMap(({ path, size }) =>
    size !== undefined && size > 0 && size <= PROBE_FILE_MOST ? [{ path, size }] : [],
  );
  return sized.toSorted((one, other) => one.size - other.size)[0];
}
