/**
 * A small JSON file of entries by name that several processes read and change at once. Each change is made to what the file
 * holds at that moment, so that none loses another's. It is a memory, not a need: whatever goes wrong with the file is a
 * warning, and the book goes on without it.
 */
import { open, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { faultMessage } from "../base/fault-text.ts";
import { makeFolders } from "../base/make-folders.ts";
import { replaceFile } from "../base/replace-file.ts";
import { systemCode } from "../base/system-code.ts";

/** Octets of a file that is read: some ten times what `most` entries take. */
const FILE_MOST = 16_777_216;
/** Changes that wait for the file; beyond them the oldest are made in memory alone. */
const QUEUED_MOST = 1_000;
/** What we write. A file of a later version is left alone. */
const VERSION = 1;
/** Mode bits with which others can write. */
const OTHERS_WRITE = 0o022;

/** @returns the entry as it shall be; undefined takes it away. It is called again when the file has changed meanwhile. */
export type Change<T> = (before: T | undefined) => T | undefined;

export type BookTerms<T> = {
  /** Absent: nothing is read or written. */
  readonly file?: string | undefined;
  /** Of what JSON made; undefined for what is no entry. By hand: zod would double the time that a short command takes. */
  readonly entryOf: (value: unknown) => T | undefined;
  /** Entries that are kept; those with the least `ageOf` go. */
  readonly most: number;
  readonly ageOf: (entry: T) => number;
  /** One sentence for people. */
  readonly onWarning: (warning: string) => void;
};

type Queued<T> = { readonly key: string; readonly change: Change<T> };
type Entries<T> = ReadonlyMap<string, T>;

export class JsonBook<T> {
  readonly #terms: BookTerms<T>;
  #file: string | undefined;
  #entries: Entries<T> = new Map();
  #queued: readonly Queued<T>[] = [];
  #loaded: Promise<void> | undefined;
  #running: Promise<void> | undefined;

  constructor(terms: BookTerms<T>) {
    this.#terms = terms;
    this.#file = terms.file;
  }

  /** With all changes that were made here. The file is read once. */
  async get(key: string): Promise<T | undefined> {
    await this.#load();
    const own = this.#queued.filter((queued) => queued.key === key);
    return changed(this.#entries, own).get(key);
  }

  /** Takes effect at once; it is written soon, or by `flush`. */
  change(key: string, change: Change<T>): void {
    if (this.#queued.length >= QUEUED_MOST) {
      this.#entries = changed(this.#entries, this.#queued.slice(0, 1));
      this.#queued = this.#queued.slice(1);
    }
    this.#queued = [...this.#queued, { key, change }];
    this.#running ??= this.#write();
  }

  /** Once every change so far lies in the file, or there was a warning. */
  async flush(): Promise<void> {
    await this.#running;
  }

  async #write(): Promise<void> {
    await this.#load();
    while (this.#queued.length > 0) {
      const batch = this.#queued;
      const after = changed(this.#entries, batch);
      // Most connections teach nothing new: the file is not touched then.
      const isNew = batch.some(({ key }) => !isDeepStrictEqual(after.get(key), this.#entries.get(key)));
      if (isNew && this.#file !== undefined) await this.#merge(this.#file, batch);
      else this.#entries = this.#trimmed(after);
      this.#queued = this.#queued.filter((queued) => !batch.includes(queued));
    }
    this.#running = undefined;
  }

  async #load(): Promise<void> {
    this.#loaded ??= this.#read();
    await this.#loaded;
  }

  async #read(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    try {
      await using handle = await open(file, "r");
      const { mode, size } = await handle.stat();
      if (process.platform !== "win32" && (mode & OTHERS_WRITE) !== 0) {
        this.#terms.onWarning(`${file}: others on this machine can write to it; it is believed all the same`);
      }
      const text = size > FILE_MOST ? "" : await handle.readFile("utf8");
      const found = this.#parse(text);
      if (typeof found === "object") this.#entries = found;
      else if (found === "newer") this.#leave(`${file} is of a later version of this program`);
      else await this.#merge(file, []);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") this.#leave(`${file} cannot be read (${faultMessage(error)})`);
    }
  }

  /** Changes the file as it is now, one process after another. */
  async #merge(file: string, batch: readonly Queued<T>[]): Promise<void> {
    try {
      await makeFolders(dirname(file), 0o700);
      await replaceFile(file, async (before) => {
        const found = before === "" ? new Map<string, T>() : this.#parse(before);
        if (found === "newer") throw new Error("it is of a later version of this program");
        if (found === "broken") await this.#setAside(file, before);
        this.#entries = this.#trimmed(changed(found === "broken" ? new Map() : found, batch));
        return `${JSON.stringify({ version: VERSION, entries: Object.fromEntries(this.#entries) }, undefined, 2)}\n`;
      });
    } catch (error) {
      this.#entries = this.#trimmed(changed(this.#entries, batch));
      this.#leave(`${file} cannot be written (${faultMessage(error)})`);
    }
  }

  async #setAside(file: string, text: string): Promise<void> {
    await writeFile(`${file}.broken`, text, { mode: 0o600 });
    this.#terms.onWarning(`${file} was broken; it is kept as ${file}.broken, and a new one is begun`);
  }

  #leave(why: string): void {
    this.#file = undefined;
    this.#terms.onWarning(`${why}; what is learnt is forgotten at the end`);
  }

  #parse(text: string): Map<string, T> | "broken" | "newer" {
    const { version, entries: written } = recordOf(jsonOf(text)) ?? {};
    const named = recordOf(written);
    if (typeof version !== "number") return "broken";
    if (version > VERSION) return "newer";
    if (named === undefined) return "broken";
    const entries = new Map<string, T>();
    for (const [key, value] of Object.entries(named)) {
      const entry = this.#terms.entryOf(value);
      if (entry === undefined) return "broken";
      entries.set(key, entry);
    }
    return entries;
  }

  #trimmed(entries: Entries<T>): Entries<T> {
    const { most, ageOf } = this.#terms;
    if (entries.size <= most) return entries;
    return new Map([...entries].toSorted(([, one], [, other]) => ageOf(other) - ageOf(one)).slice(0, most));
  }
}

/** The properties of what JSON calls an object; undefined for everything else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function changed<T>(entries: Entries<T>, batch: readonly Queued<T>[]): Entries<T> {
  if (batch.length === 0) return entries;
  const after = new Map(entries);
  for (const { key, change } of batch) {
    const entry = change(after.get(key));
    if (entry === undefined) after.delete(key);
    else after.set(key, entry);
  }
  return after;
}
