/** The server's tree of a mirror, behind a client. Names that must not become files or paths are left out (attack 64). */
import { bytesOfText } from "../../base/bytes.ts";
import type { DigestName } from "../../protocol/digest.ts";
import { unsafeName } from "../../protocol/listings/unsafe-name.ts";
import { FtpError, printable, shownReply } from "../errors.ts";
import type { Client, Entry, EntryTime, HashResult } from "../types.ts";
import { FOLDER_ENTRIES, LIST_TRIES, STAT_BATCH } from "./limits.ts";
import { linkTargets } from "./link-targets.ts";
import { isPart } from "./parts.ts";
import { type Item, type Listed, type ListTerms, type Side, tooMany } from "./side.ts";

export class RemoteSide implements Side {
  readonly label: string;
  readonly #client: Client;
  readonly #root: string;
  /** Names become files of this host, which is one. */
  readonly #isForWindows: boolean;

  /** @param root an absolute path. */
  constructor(client: Client, root: string, direction: "down" | "up") {
    this.#isForWindows = direction === "down" && process.platform === "win32";
    const { host, port } = client.info;
    this.label = `${host}:${port}${root}`;
    this.#client = client;
    this.#root = root;
  }

  /** The path on the server of one from the mirrored folder. */
  pathOf(path: string): string {
    if (path === "") return this.#root;
    return this.#root === "/" ? `/${path}` : `${this.#root}/${path}`;
  }

  /** A listing that broke off is asked for again: nothing of it has been used, which the client cannot know. */
  async list(folder: string, terms: ListTerms): Promise<Listed> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#listOnce(folder, terms);
      } catch (error) {
        terms.signal.throwIfAborted();
        if (!(error instanceof FtpError) || error.code !== "RESET" || tries >= LIST_TRIES) throw error;
      }
    }
  }

  /** Reads to the end at once: a listing that waits for us would keep its connection from those who copy. */
  async #listOnce(folder: string, { signal, hidden, follow, targets }: ListTerms): Promise<Listed> {
    const listing = this.#client.list(this.pathOf(folder), { signal, hidden });
    const items: Item[] = [];
    const links: Item[] = [];
    const parts = new Map<string, number>();
    const warnings: string[] = [];
    for await (const entry of listing) {
      if (entry.name === "." || entry.name === "..") continue;
      const why = unsafeName(bytesOfText(entry.name), { windows: this.#isForWindows });
      if (why !== undefined) warnings.push(`the name "${printable(entry.name)}" is left out: ${why}`);
      else if (isPart(entry.name)) parts.set(entry.name, entry.size ?? 0);
      else (follow && entry.type === "link" ? links : items).push(itemOf(entry));
      if (items.length > FOLDER_ENTRIES) throw tooMany(folder, { phase: "transfer", connection: "data" });
    }
    for (let start = 0; start < links.length; start += STAT_BATCH) {
      const batch = links.slice(start, start + STAT_BATCH);
      items.push(...(await Promise.all(batch.map(async (link) => await this.#followed(folder, link, signal)))));
    }
    if (targets) await this.#findTargets(folder, items, signal);
    const odd = listing.warnings.map((line) => `a line of the listing could not be read: ${printable(line)}`);
    return { items, parts, warnings: [...warnings, ...odd], isCut: odd.length > 0 };
  }

  async digest(
    path: string,
    terms: { readonly signal: AbortSignal; readonly algorithm?: DigestName },
  ): Promise<HashResult | undefined> {
    return await this.#client.hash(this.pathOf(path), terms);
  }

  /** Servers have no code of their own for what is there already: it is looked at. */
  async makeFolder(path: string, signal: AbortSignal): Promise<void> {
    const full = this.pathOf(path);
    try {
      await this.#client.mkdir(full, { signal, recursive: path === "" });
    } catch (error) {
      if (!isRefusal(error) || (await this.#client.exists(full, { signal })) !== "directory") throw error;
    }
  }

  async removeFile(path: string, signal: AbortSignal): Promise<void> {
    await this.#gone(path, signal, async (full) => await this.#client.remove(full, { signal }));
  }

  async removeFolder(path: string, signal: AbortSignal): Promise<void> {
    await this.#gone(path, signal, async (full) => await this.#client.rmdir(full, { signal }));
  }

  /** A 550 may also mean that it is not there any more, which is as well. */
  async #gone(path: string, signal: AbortSignal, remove: (full: string) => Promise<void>): Promise<void> {
    const full = this.pathOf(path);
    try {
      await remove(full);
    } catch (error) {
      if (!isRefusal(error) || (await this.#client.exists(full, { signal })) !== false) throw error;
    }
  }

  async setTime(path: string, { ms }: EntryTime, signal: AbortSignal): Promise<void> {
    await this.#client.utime(this.pathOf(path), new Date(Math.floor(ms / 1000) * 1000), { signal });
  }

  async setMode(path: string, mode: number, signal: AbortSignal): Promise<void> {
    await this.#client.chmod(this.pathOf(path), mode, { signal });
  }

  /** SITE SYMLINK as in ProFTPD's mod_site_misc; its first argument ends at a space. What lies there was removed before. */
  async makeLink(path: string, target: string, signal: AbortSignal): Promise<void> {
    // oxlint-disable-next-line no-control-regex -- control characters are what is meant
    if (/[\s\0-\x1f]/.test(target) || /[\0-\x1f]/.test(path)) {
      throw new FtpError(
        "UNSAFE_NAME",
        `The link ${printable(path)} cannot be made: no command can carry its target.`,
        {
          phase: "local",
        },
      );
    }
    const full = this.pathOf(path);
    const reply = await this.#client.raw(`SITE SYMLINK ${target} ${full}`, { signal });
    if (reply.code < 300) return;
    const command = `SITE SYMLINK ${target} ${full}`;
    const code = [500, 501, 502, 504].includes(reply.code) ? "UNSUPPORTED" : "DENIED";
    throw new FtpError(code, `The link ${printable(path)} was not made: ${shownReply(reply)}`, {
      phase: "command",
      command,
      reply,
    });
  }

  async #findTargets(folder: string, items: Item[], signal: AbortSignal): Promise<void> {
    const places = [...items.keys()].filter((at) => items[at]?.type === "link" && items[at].target === undefined);
    if (places.length === 0) return;
    const targets = await linkTargets(this.#client, this.pathOf(folder), signal);
    for (const at of places) {
      const link = items[at];
      if (link !== undefined) items[at] = { ...link, target: targets.get(link.name) };
    }
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
  return {
    name,
    type,
    size: type === "file" ? size : undefined,
    modified,
    mode,
    target: type === "link" ? target : undefined,
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof FtpError && ["EXISTS", "NOT_FOUND", "DENIED"].includes(error.code);
}
