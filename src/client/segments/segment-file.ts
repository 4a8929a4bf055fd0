/**
 * Where a segmented download lies until it is whole: a hidden file beside its target, written at any place, and a journal
 * of what is there. The octets that a journal names were written before it.
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, opendir, rename, rm, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { localFault } from "../octets.ts";
import { partPath } from "../part-file.ts";
import {
  type Version,
  bootId,
  doneOf,
  formatJournal,
  journalDraft,
  readJournal,
  sourceDigest,
  writeJournal,
} from "./journal.ts";
import { FOLDER_LOOKED_AT, JOURNAL_EVERY_MS, SYNC_EVERY_MS } from "./limits.ts";
import { type Range, RangeSet } from "./ranges.ts";

// Without O_APPEND, which would put everything at the end.
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
const JOURNAL_SUFFIX = ".segments";

export class SegmentFile implements AsyncDisposable {
  readonly path: string;
  /** What was there when it was opened, and what is written since. */
  readonly done: RangeSet;
  readonly #journal: string;
  readonly #target: string;
  readonly #version: Version;
  #file: FileHandle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #saved = "";
  readonly #boot: string | undefined;
  #synced: readonly Range[];
  #syncedMs = performance.now();

  private constructor(
    { path, target, version, boot }: { path: string; target: string; version: Version; boot: string | undefined },
    { file, done }: { file: FileHandle; done: RangeSet },
  ) {
    this.path = path;
    this.#journal = path + JOURNAL_SUFFIX;
    this.#target = target;
    this.#version = version;
    this.#file = file;
    this.done = done;
    this.#boot = boot;
    this.#synced = [];
  }

  /**
   * Opens what an earlier run has left of the same version, or begins anew.
   * @param mayResume false: what is there is thrown away.
   * @throws {FtpError} LOCAL_IO, NO_SPACE.
   */
  static async open(target: string, version: Version, mayResume: boolean): Promise<SegmentFile> {
    const path = partPath(target, { ...version, url: `segments ${version.url}` });
    await removeOthers(path, target, version);
    let file: FileHandle | undefined;
    try {
      const journal = mayResume ? await readJournal(path + JOURNAL_SUFFIX) : undefined;
      const boot = await bootId();
      const parts = { path, target, version, boot };
      const found = doneOf(journal, version, boot);
      if (found !== undefined) {
        file = await openOld(path, version.size);
        if (file !== undefined) return new SegmentFile(parts, { file, done: found });
      }
      // Not the old file emptied: another process may be at it.
      await forget(path);
      file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
      await file.truncate(version.size);
      return new SegmentFile(parts, { file, done: new RangeSet() });
    } catch (error) {
      await file?.close();
      throw localFault(error, `cannot write ${target}`);
    }
  }

  /** @throws {FtpError} LOCAL_IO, NO_SPACE. */
  async write(octets: Buffer, position: number): Promise<void> {
    try {
      for (let at = 0; at < octets.length;) {
        at += (await this.#open.write(octets, at, octets.length - at, position + at)).bytesWritten;
      }
    } catch (error) {
      throw localFault(error, `cannot write ${this.#target}`);
    }
  }

  /** Keeps the journal up to date from now on. */
  keepJournal(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.save().then(
        () => this.#file !== undefined && this.keepJournal(),
        // The disk's fault shows at the next write of octets; a journal that is old costs some of them.
        () => {},
      );
    }, JOURNAL_EVERY_MS);
    this.#timer.unref();
  }

  /** Writes the journal. @throws what the file system says. */
  async save(): Promise<void> {
    this.#saving = this.#saving.catch(() => {}).then(async () => await this.#save());
    await this.#saving;
  }

  async #save(): Promise<void> {
    // What cannot be told from other versions cannot be continued.
    if (this.#file === undefined || this.#version.modifiedMs === undefined) return;
    const kept = { written: this.done.ranges, synced: this.#synced, boot: this.#boot };
    const text = formatJournal(this.#version, kept);
    if (text !== this.#saved) await writeJournal(this.#journal, text);
    this.#saved = text;
    if (performance.now() - this.#syncedMs < SYNC_EVERY_MS) return;
    this.#syncedMs = Number.POSITIVE_INFINITY;
    void this.#sync();
  }

  /** By a descriptor of its own: whoever closes the file does not wait for the disk. */
  async #sync(): Promise<void> {
    const ranges = this.done.ranges.map(({ start, end }) => ({ start, end }));
    try {
      const file = await open(this.path, O_RDWR | O_NOFOLLOW);
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
      this.#synced = ranges;
    } catch {
      // Then the loss of power would cost more.
    }
    this.#syncedMs = performance.now();
  }

  /** It is whole: it gets its time and its name. @throws {FtpError} */
  async publish(modifiedMs: number | undefined): Promise<void> {
    try {
      const [own, there] = await Promise.all([this.#open.stat(), lstat(this.path)]);
      if (own.ino !== there.ino || own.dev !== there.dev) throw new Error("another download has replaced it meanwhile");
      await this[Symbol.asyncDispose]();
      if (modifiedMs !== undefined) await utimes(this.path, new Date(), new Date(modifiedMs));
      await rename(this.path, this.#target);
      await forget(this.path);
    } catch (error) {
      throw localFault(error, `cannot write ${this.#target}`);
    }
  }

  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await forget(this.path);
  }

  /** Whether a later run could go on with it. */
  get isOfUse(): boolean {
    return this.#version.modifiedMs !== undefined && this.done.total > 0;
  }

  /** Whether a later run can know what is there: on a full disk not even the journal may have been written. */
  get hasJournal(): boolean {
    return this.#saved !== "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    const file = this.#file;
    this.#file = undefined;
    await this.#saving.catch(() => {});
    await file?.close();
  }

  get #open(): FileHandle {
    if (this.#file === undefined) throw new Error("a segment file that is closed");
    return this.#file;
  }
}

/** @returns undefined for one that is not of this size: not what the journal was written for. */
async function openOld(path: string, size: number): Promise<FileHandle | undefined> {
  try {
    const file = await open(path, O_RDWR | O_NOFOLLOW);
    if ((await file.stat()).size === size) return file;
    await file.close();
  } catch {
    // It is made anew.
  }
  return undefined;
}

async function forget(path: string): Promise<void> {
  // The journal first: without it the octets are nothing.
  for (const name of [path + JOURNAL_SUFFIX, journalDraft(path + JOURNAL_SUFFIX), path])
    await rm(name, { force: true });
}

/** Takes away what was left of older versions of the same source for the same target. */
async function removeOthers(path: string, target: string, { url }: Version): Promise<void> {
  const own = basename(path);
  // `.NAME.` and the digits of the version, as `partPath` makes it.
  const stem = own.replace(/[\da-f]+\.part$/, "");
  try {
    let looked = 0;
    for await (const { name } of await opendir(dirname(target))) {
      if ((looked += 1) > FOLDER_LOOKED_AT) return;
      if (!name.startsWith(stem) || !name.endsWith(`.part${JOURNAL_SUFFIX}`)) continue;
      const part = join(dirname(target), name.slice(0, -JOURNAL_SUFFIX.length));
      if (part === path) continue;
      const journal = await readJournal(part + JOURNAL_SUFFIX);
      if (journal?.source !== sourceDigest(url)) continue;
      await forget(part);
    }
  } catch {
    // A folder that cannot be read: opening the file tells what is wrong.
  }
}
