/** The two trees of a mirror as one port: the server's behind a client, and the local one. Paths are from their roots. */
import type { DigestName } from "../../protocol/digest.ts";
import { FtpError, type FtpErrorDetails, printable } from "../errors.ts";
import type { EntryTime, EntryType, HashResult } from "../types.ts";
import { FOLDER_ENTRIES } from "./limits.ts";

/** What a mirror keeps of an entry: small, as a folder may have millions. */
export type Item = {
  readonly name: string;
  readonly type: EntryType;
  readonly size: number | undefined;
  readonly modified: EntryTime | undefined;
  readonly mode: number | undefined;
  readonly target: string | undefined;
};

/** A whole folder. */
export type Listed = {
  /** In no order. */
  readonly items: Item[];
  /** Octets of the unfinished files, by their names. */
  readonly parts: ReadonlyMap<string, number>;
  /** What is wrong with single entries. */
  readonly warnings: readonly string[];
  /** Some entries could not be read: what is not listed may still be there. */
  readonly isCut: boolean;
};

export type ListTerms = {
  readonly signal: AbortSignal;
  readonly hidden: boolean;
  /** Links are what they point to. */
  readonly follow: boolean;
  /** Links shall say where they lead. */
  readonly targets: boolean;
};

export interface Side {
  /** For messages. */
  readonly label: string;
  /** @throws {FtpError} NOT_FOUND where there is no such folder. */
  list(folder: string, terms: ListTerms): Promise<Listed>;
  /** @returns undefined where there are no digests. @param algorithm default: what this side likes. */
  digest(
    path: string,
    terms: { readonly signal: AbortSignal; readonly algorithm?: DigestName },
  ): Promise<HashResult | undefined>;
  /** Makes the root, too, where it is not there. A folder that is there already is none of its concern. */
  makeFolder(path: string, signal: AbortSignal): Promise<void>;
  removeFile(path: string, signal: AbortSignal): Promise<void>;
  removeFolder(path: string, signal: AbortSignal): Promise<void>;
  setTime(path: string, modified: EntryTime, signal: AbortSignal): Promise<void>;
  setMode(path: string, mode: number, signal: AbortSignal): Promise<void>;
  /** At the server nothing may lie there; here it takes the place of a file or link. */
  makeLink(path: string, target: string, signal: AbortSignal): Promise<void>;
}

/** The folder in which a path lies; "" is the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function joined(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** For a folder of more than `FOLDER_ENTRIES`. @param where it is read. */
export function tooMany(folder: string, where: Pick<FtpErrorDetails, "phase" | "connection">): FtpError {
  const message = `The folder ${printable(folder)} has more than ${FOLDER_ENTRIES} entries, which is more than a mirror holds.`;
  return new FtpError("LIMIT", message, where);
}
