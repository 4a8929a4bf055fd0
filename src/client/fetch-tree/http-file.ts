/** One document of HTTP on our disk: from where an earlier try ended if the server still has the same (Range, If-Range). */
import { basename, join } from "node:path";
import { readFile } from "node:fs/promises";
import type { Throttle } from "../../net/throttle.ts";
import { FtpError } from "../errors.ts";
import { localFault } from "../octets.ts";
import { PartFile, partPath } from "../part-file.ts";
import { sizeMismatch } from "../verify.ts";
import type { Asking, Got, HttpClient } from "./http-get.ts";
import { shownUrl } from "./http-get.ts";
import { PAGE_OCTETS } from "./limits.ts";
import type { Place } from "./local-name.ts";
import type { LocalTree } from "./local-tree.ts";

export type SaveTerms = {
  readonly tree: LocalTree;
  readonly http: HttpClient;
  readonly signal: AbortSignal | undefined;
  readonly throttle: Throttle | undefined;
  readonly keepTime: boolean;
  /** An earlier run may have left a part, or this one may leave it. */
  readonly resume: boolean;
  /** Hears each chunk of the whole document from its start; then nothing is resumed. */
  readonly read?: ((chunk: Buffer) => void) | undefined;
  readonly started: (size: number | undefined, resumedAt: number) => void;
  /** Octets that are here. */
  readonly moved: (octets: number, total: number | undefined) => void;
  readonly follows: Asking["follows"];
  /** No further try will come. Else what is there is kept for it, and its place put down in `kept`. */
  readonly isLast: boolean;
  readonly kept: Place[];
};

/** What the headers tell of a document. */
type Facts = {
  readonly size: number | undefined;
  readonly modifiedMs: number | undefined;
  readonly validator: string | undefined;
};

/** @returns octets that moved. @throws {FtpError}, or the signal's reason. */
export async function saveDocument(got: Got, place: Place, terms: SaveTerms): Promise<number> {
  const facts = factsOf(got.headers);
  const mark = {
    url: `${shownUrl(got.url)}\n${facts.validator ?? ""}`,
    size: facts.size,
    modifiedMs: facts.modifiedMs,
  };
  return await terms.tree.within(place.folders, async (at) => {
    const target = join(at, place.name);
    await using part = await PartFile.continued(partPath(target, mark), target);
    const canResume = terms.read === undefined && facts.validator !== undefined && facts.size !== undefined;
    try {
      const moved = await fill(got, { part, facts, terms, canResume });
      await part.publish(terms.keepTime ? facts.modifiedMs : undefined);
      return moved;
    } catch (error) {
      await got.cancel();
      const isTriedAgain =
        !terms.isLast && error instanceof FtpError && error.retryable && terms.signal?.aborted !== true;
      if (canResume && (terms.resume || isTriedAgain)) terms.kept.push({ ...place, name: basename(part.path) });
      else await part.remove();
      throw error;
    }
  });
}

type Filling = {
  readonly part: PartFile;
  readonly facts: Facts;
  readonly terms: SaveTerms;
  readonly canResume: boolean;
};

async function fill(got: Got, filling: Filling): Promise<number> {
  const { part, facts, terms } = filling;
  const { size } = facts;
  const { from, start } = await sourceOf(got, filling);
  await part.cutTo(start);
  terms.started(size, start);
  let moved = 0;
  for await (const chunk of from?.body() ?? []) {
    await held(chunk.length, terms);
    await write(part, chunk);
    terms.read?.(chunk);
    moved += chunk.length;
    terms.moved(start + moved, size);
  }
  const length = await part.size();
  if (size !== undefined && length !== size) throw sizeMismatch(`${shownUrl(got.url)} came in part`, size, length);
  return moved;
}

/** What brings the octets from `start` on; nothing where all of them are here. */
async function sourceOf(
  got: Got,
  { part, facts, terms, canResume }: Filling,
): Promise<{ readonly from: Got | undefined; readonly start: number }> {
  const { size } = facts;
  const have = canResume ? await part.size() : 0;
  if (have === 0 || size === undefined || have > size) return { from: got, start: 0 };
  if (have === size) {
    await got.cancel();
    return { from: undefined, start: size };
  }
  const from = await restOf(got, have, { facts, terms });
  return { from, start: from.status === 206 ? have : 0 };
}

/** The same document from an octet on; all of it again if it has changed meanwhile (RFC 9110 §13.1.5, §14.2). */
async function restOf(got: Got, have: number, { facts, terms }: Pick<Filling, "facts" | "terms">): Promise<Got> {
  await got.cancel();
  const rest = await terms.http.get(got.url, {
    headers: { range: `bytes=${have}-`, "if-range": facts.validator ?? "" },
    follows: terms.follows,
  });
  if (rest.status !== 206) return rest;
  const [, from, all] = /^bytes (\d+)-\d+\/(\d+)$/.exec(rest.headers.get("content-range") ?? "") ?? [];
  if (Number(from) === have && Number(all) === facts.size) return rest;
  await rest.cancel();
  throw new FtpError("PROTOCOL", `${shownUrl(got.url)}: the server sent another part than was asked for`, {
    phase: "transfer",
    connection: "data",
  });
}

/** A weak tag does not vouch for octets (RFC 9110 §13.1.5). */
function factsOf(headers: Headers): Facts {
  const length = headers.get("content-length") ?? "";
  const isPlain = (headers.get("content-encoding") ?? "identity") === "identity";
  const modified = headers.get("last-modified");
  const modifiedMs = modified === null ? Number.NaN : Date.parse(modified);
  const tag = headers.get("etag");
  return {
    size: isPlain && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    modifiedMs: Number.isFinite(modifiedMs) ? modifiedMs : undefined,
    validator: tag !== null && tag.startsWith('"') ? tag : (modified ?? undefined),
  };
}

async function held(octets: number, { throttle, signal = NEVER }: SaveTerms): Promise<void> {
  if (throttle === undefined) return;
  for (let left = octets; left > 0;) left -= await throttle.take(left, signal);
}

const NEVER = new AbortController().signal;

async function write(part: PartFile, chunk: Buffer): Promise<void> {
  try {
    await part.file.write(chunk);
  } catch (error) {
    throw localFault(error, "cannot write the file here");
  }
}

/** A page that lies here already, for its links: at most `PAGE_OCTETS` of it. @returns undefined where it cannot be read. */
export async function savedPage(tree: LocalTree, place: Place): Promise<Buffer | undefined> {
  const there = await tree.look(place);
  if (there?.isFile() !== true || there.size > PAGE_OCTETS) return undefined;
  try {
    return await tree.within(place.folders, async (at) => await readFile(join(at, place.name)));
  } catch {
    return undefined;
  }
}
