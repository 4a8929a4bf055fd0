/**
 * By which command folders are listed: what the caller prefers, else MLSD where it is offered; and what a server refuses though
 * it offers it is not asked again.
 */
import { LISTING_KINDS, type ListingKind } from "../protocol/listings/reader.ts";
import { FtpError } from "./errors.ts";

export class ListingWays {
  readonly #order: readonly ListingKind[];
  readonly #refused = new Set<ListingKind>();

  /** @param options.hasMlsd FEAT names MLST, which stands for MLSD too (RFC 3659 §7.8). */
  constructor({ hasMlsd, prefer }: { readonly hasMlsd: boolean; readonly prefer: ListingKind | undefined }) {
    const others = LISTING_KINDS.filter((kind) => kind !== prefer && (kind !== "mlsd" || hasMlsd));
    this.#order = prefer === undefined ? others : [prefer, ...others];
  }

  /** Those to try, one after another; at least one. */
  get order(): readonly ListingKind[] {
    const left = this.#order.filter((kind) => !this.#refused.has(kind));
    return left.length === 0 ? this.#order : left;
  }

  /** The server does not know these commands, and has listed a folder by another. */
  refused(kinds: readonly ListingKind[]): void {
    for (const kind of kinds) this.#refused.add(kind);
  }
}

/** Whether the command is not known to the server at all, whatever the folder (500, 502, 504). */
export function isUnknownListing(error: unknown): error is FtpError {
  if (!(error instanceof FtpError) || !/^(?:MLSD|LIST|NLST)\b/.test(error.command ?? "")) return false;
  return [500, 502, 504].includes(error.reply?.code ?? 0);
}

/**
 * Servers that refuse to list an empty folder: wu-ftpd, IIS, ProFTPD's NLST, z/OS … "No such file" is another thing. Of a
 * folder that is not there some say the same, so whoever believes it asks once.
 */
export function saysEmpty(error: unknown): boolean {
  if (!(error instanceof FtpError) || !/^(?:LIST|NLST)\b/.test(error.command ?? "")) return false;
  const { code = 0, lines = [] } = error.reply ?? {};
  return (code === 450 || code === 550) && EMPTY.test(lines.join(" "));
}

const EMPTY =
  /\bno (?:matching )?(?:files?(?: or director(?:y|ies))?|entries|items|data ?sets?|members|jobs)(?: (?:were |was )?(?:found|match\w*|exist|here|in)\b|[.!]?\s*$)|\b(?:directory|folder) (?:is )?empty\b|\bempty (?:directory|folder)\b|\bnothing (?:to list|found)\b/i;
