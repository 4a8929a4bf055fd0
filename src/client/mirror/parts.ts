/** Unfinished downloads in the local tree: which are they, and which can still be gone on with (`client/part-file.ts`). */
import { randomBytes } from "node:crypto";
import { partPath } from "../part-file.ts";
import type { Item } from "./side.ts";

/** What `partPath` makes: a dot, the name or what is left of it, and a digest of the source's address, size and time. */
const PART = /^\.(.*)\.[0-9a-f]{12}\.part$/s;

/** Whether a name is that of an unfinished file: neither side ever copies one. */
export function isPart(name: string): boolean {
  return name.endsWith(".part") && PART.test(name);
}

/**
 * The name under which a download lies until it is whole. A source that was changed has another one.
 * @param address host, port and path of the source, as `client.info` says them.
 * @returns undefined where the listing does not say enough to tell a changed source.
 */
export function partNameOf(
  name: string,
  { size, modified }: Partial<Pick<Item, "size" | "modified">>,
  address: string,
): string | undefined {
  if (size === undefined || modified === undefined) return undefined;
  return partPath(name, { url: address, size, modifiedMs: modified.ms });
}

/** Whether a part is one of this file, of whichever version: only these are known to be ours. */
export function isPartOf(part: string, name: string): boolean {
  const stem = PART.exec(part)?.[1];
  return stem !== undefined && stem === PART.exec(partPath(name, NO_MARK))?.[1];
}

const NO_MARK = { url: "", size: undefined, modifiedMs: undefined };

/** A name that nobody else has or can foresee, and that is never copied. */
export function temporaryName(): string {
  return `.new.${randomBytes(6).toString("hex")}.part`;
}
