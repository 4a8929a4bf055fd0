/** The server's tree of a mirror, behind a client. Names that must not become files or paths are left out (attack 64). */
import { bytesOfText } from "../../base/bytes.ts";
import type { DigestName } from "../../protocol/digest.ts";
import { unsafeName } from "../../protocol/listings/unsafe-name.ts";
import { FtpError, printable } from "../errors.ts";
import type { Client, Entry, EntryTime, HashResult } from "../types.ts";
import { FOLDER_ENTRIES, STAT_BATCH } from "./limits.ts";
import { isPart } from "./parts.ts";
import type { Item, Listed, ListTerms, Part, Side } from "./side.ts";

export class RemoteSide implements Side {
  readonly label: string;
  readonly #client: Client;
  readonly #root: string;

  /** @param root an absolute path. */
  constructor(client: Client, root: string) {
    const { user, host, port } = client.info;
    this.label = `${user}@${host}:${port}${root}`;
    this.#client = client;
    this.#root = root;
  }

  /** The path on the server of one from the mirrored folder. */
  pathOf(path: string): string {
    if (path === "") return this.#root;
    return this.#root === "/" ? `/${path}` : `${this.#root}/${path}`;
  }

  /** Reads to the end at once: a listing that waits for us would keep its connection from those who copy. */
  async list(folder: string, { signal, hidden, follow }: ListTerms): Promise<Listed> {
    const listing = this.#client.list(this.pathOf(folder), { signal, hidden });
    const items: Item[] = [];
    const links: Item[] = [];
    const parts = new Map<string, Part>();
    const warnings: string[] = [];
    for await (const entry of listing) {
      if (entry.name === "." || entry.name === "..") continue;
      const why = unsafeName(bytesOfText(entry.name));
      if (why !== undefined) warnings.push(`the name "${printable(entry.name)}" is left out: ${why}`);
      else if (isPart(entry.name)) parts.set(entry.name, { size: entry.size ?? 0, ms: entry.modified?.ms ?? 0 });
      else (follow && entry.type === "link" ? links : items).push(itemOf(entry));
      if (items.length > FOLDER_ENTRIES) throw tooMany(folder);
    }
    for (let start = 0; start < links.length; start += STAT_BATCH) {
      const batch = links.slice(start, start + STAT_BATCH);
      items.push(...(await Promise.all(batch.map(async (link) => await this.#followed(folder, link, signal)))));
    }
    const odd = listing.warnings.map((line) => `a line of the listing could not be read: ${printable(line)}`);
    return { items, parts, warnings: [...warnings, ...odd], isCut: odd.length > 0 };
  }

  async digest(
    path: string,
    terms: { readonly signal: AbortSignal; readonly algorithm?: DigestName },
  ): Promise<HashResult | undefined> {
    return await this.#client.hash(this.pathOf(path), terms);
  }

  async makeFolder(path: string, mode: number | undefined, signal: AbortSignal): Promise<void> {
    const full = this.pathOf(path);
    try {
      await this.#client.mkdir(full, { signal, recursive: path === "" });
    } catch (error) {
      if (!(error instanceof FtpError) || error.code !== "EXISTS") throw error;
    }
    if (mode !== undefined) await this.#client.chmod(full, mode, { signal });
  }

  async removeFile(path: string, signal: AbortSignal): Promise<void> {
    await this.#client.remove(this.pathOf(path), { signal }).catch(unlessGone);
  }

  async removeFolder(path: string, signal: AbortSignal): Promise<void> {
    await this.#client.rmdir(this.pathOf(path), { signal }).catch(unlessGone);
  }

  async setTime(path: string, { ms }: EntryTime, signal: AbortSignal): Promise<void> {
    await this.#client.utime(this.pathOf(path), new Date(Math.floor(ms / 1000) * 1000), { signal });
  }

  async setMode(path: string, mode: number, signal: AbortSignal): Promise<void> {
    await this.#client.chmod(this.pathOf(path), mode, { signal });
  }

  /** SITE SYMLINK as in ProFTPD's mod_site_misc; its first argument ends at a space. */
  async makeLink(path: string, target: string, signal: AbortSignal): Promise<void> {
    // oxlint-disable-next-line no-control-regex -- control characters are what is meant
    if (/[\s\0-\x1f]/.test(target) || /[\0-\x1f]/.test(path)) {
      throw new FtpError("UNSAFE_NAME", `The link ${printable(path)} cannot be made: no command can carry its target.`, {
        phase: "local",
      });
    }
    const full = this.pathOf(path);
    await this.#client.remove(full, { signal }).catch(unlessGone);
    await this.#client.raw(`SITE SYMLINK ${target} ${full}`, { signal });
  }

  /** A link that cannot be asked about stays one. */
  async #followed(folder: string, link: Item, signal: AbortSignal): Promise<Item> {
    const path = this.pathOf(folder === "" ? link.name : `${folder}/${link.name}`);
    try {
      const { type, size, modified, mode } = await this.#client.stat(path, { signal });
      return { name: link.name, type, size, modified, mode, target: link.target ?? "" };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof FtpError && !error.retryable) return link;
      throw error;
    }
  }
}

function itemOf({ name, type, size, modified, mode, target }: Entry): Item {
  return { name, type, size: type === "file" ? size : undefined, modified, mode, target: type === "link" ? target : undefined };
}

function unlessGone(error: unknown): void {
  if (!(error instanceof FtpError) || error.code !== "NOT_FOUND") throw error;
}

function tooMany(folder: string): FtpError {
  const message = `The folder ${printable(folder)} has more than ${FOLDER_ENTRIES} entries, which is more than a mirror holds.`;
  return new FtpError("LIMIT", message, { phase: "transfer", connection: "data", retryable: false });
}
