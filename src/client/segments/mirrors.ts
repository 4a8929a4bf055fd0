/** Several servers that are said to have the same file: which of them have it. One that differs would spoil all of it. */
import { FtpError, type FtpErrorCode } from "../errors.ts";
import { type SourceFacts, sourceFacts } from "../facts.ts";
import { hashAt } from "../verify.ts";
import { SAMPLES, SAMPLE_OCTETS } from "./limits.ts";
import { type Place, readPart } from "./segment-transfer.ts";
import type { HashResult } from "../types.ts";

/** @param asking.isOnly no other place could do in its stead, so that it is worth to ask again and again. */
export async function factsAt(
  { hub, path }: Place,
  { signal, isOnly }: { readonly signal: AbortSignal | undefined; readonly isOnly: boolean },
): Promise<SourceFacts> {
  return await hub.call(async (session) => await sourceFacts(path, { hub, session, signal }), {
    signal,
    ...(isOnly ? {} : { retry: { attempts: 1 } }),
  });
}

/** For people: never with a password. */
export function urlOf({ hub, path }: Place): string {
  const { host, port } = hub.info;
  return `ftp://${host.includes(":") ? `[${host}]` : host}:${port}${path.startsWith("/") ? "" : "/"}${path}`;
}

/** Reasons of one place that say nothing of the others. */
const OWN_REASONS: ReadonlySet<FtpErrorCode> = new Set(["LOCAL_IO", "NO_SPACE", "ABORTED", "USAGE"]);

export function isOfOnePlace(error: unknown): error is FtpError {
  return error instanceof FtpError && !OWN_REASONS.has(error.code);
}

export type Proof = {
  readonly first: Place;
  readonly size: number;
  readonly signal: AbortSignal;
  /** Digests may be asked for: a server reads all of the file for one. */
  readonly byDigest: boolean;
  /** The first place's digest, asked for once. */
  readonly digest: () => Promise<HashResult | undefined>;
};

/**
 * Whether a place has the same octets as the first: by a digest where both have one, else by samples of them.
 * @returns why not; undefined: it has. @throws {FtpError} where one of them cannot be asked.
 */
export async function differs(
  place: Place,
  { first, size, signal, byDigest, digest }: Proof,
): Promise<string | undefined> {
  const wanted = byDigest && hasDigests(place) ? await digest() : undefined;
  const found = wanted === undefined ? undefined : await digestAt(place, signal, wanted.algorithm);
  if (wanted !== undefined && found !== undefined) {
    return wanted.hash === found.hash ? undefined : `its ${wanted.algorithm} is another`;
  }
  for (const start of sampledPlaces(size)) {
    const range = { start, end: Math.min(start + SAMPLE_OCTETS, size) };
    const [one, other] = await Promise.all([readPart(first, range, signal), readPart(place, range, signal)]);
    if (!one.equals(other)) return `its octets from ${start} on are others`;
  }
  return undefined;
}

function hasDigests({ hub }: Place): boolean {
  return ["HASH", "XSHA512", "XSHA256", "XSHA1", "XSHA", "XMD5", "XCRC"].some((name) => hub.info.features.has(name));
}

/** @returns undefined where there is none, for whatever reason. */
export async function digestAt(
  { hub, path }: Place,
  signal: AbortSignal,
  algorithm?: HashResult["algorithm"],
): Promise<HashResult | undefined> {
  try {
    return await hub.call(async (session) => await hashAt(path, { algorithm, signal }, { session, hub }), {
      signal,
      retry: { attempts: 1 },
    });
  } catch (error) {
    if (isOfOnePlace(error)) return undefined;
    throw error;
  }
}

/** The start, the end, and places between by chance, so that nobody can know which octets are looked at. */
function sampledPlaces(size: number): readonly number[] {
  const last = Math.max(size - SAMPLE_OCTETS, 0);
  const between = Array.from({ length: SAMPLES - 2 }, () => Math.floor(Math.random() * last));
  return [...new Set([0, last, ...between])];
}
