/**
 * Where a download lies until it is whole: a hidden file beside its target, whose name tells what is in it. A file that has
 * changed at the server has another name, so an old half is never continued with a new one.
 */
import { hash, randomBytes } from "node:crypto";
import { constants, lstatSync, renameSync } from "node:fs";
import { lstat, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemCode } from "../base/system-code.ts";
import { loadSystemCalls } from "../sys/ffi.ts";
import { LocalFile, soon } from "./local-file.ts";
import { localFault } from "./octets.ts";

/** What identifies the source: its URL without password, its size and time where they are known. */
export type SourceMark = {
  readonly url: string;
  readonly size: number | undefined;
  readonly modifiedMs: number | undefined;
};

/** Digits of the digest in a name: enough that no two versions of a file meet. */
const MARK_DIGITS = 12;
/** Octets that a name may have beside what we add, as most file systems take 255 in all. */
const NAME_MOST = 200;

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;

export function partPath(target: string, { url, size, modifiedMs }: SourceMark): string {
  const digest = hash("sha256", `${url}\n${size ?? ""}\n${modifiedMs ?? ""}`);
  const name = Buffer.from(basename(target))
    .subarray(0, NAME_MOST)
    .toString("latin1")
    .replace(/[^\w.-]/g, "_");
  return join(dirname(target), `.${name}.${digest.slice(0, MARK_DIGITS)}.part`);
}

/** Parts that a call of this process writes to. */
const busy = new Set<string>();

const FLAGS = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW;

/** A file that is being written: the part beside the target, or the target itself. */
export class PartFile implements AsyncDisposable {
  readonly path: string;
  readonly #target: string;
  /** Nobody had written to it before: of many small files each look costs as much as the file. */
  readonly isNew: boolean;
  #file: LocalFile | undefined;

  private constructor({ path, target, isNew }: { path: string; target: string; isNew: boolean }, file: LocalFile) {
    this.path = path;
    this.#target = target;
    this.isNew = isNew;
    this.#file = file;
    busy.add(path);
  }

  /** Of a file that was opened for it. */
  static of(named: { path: string; target: string; isNew: boolean }, file: LocalFile): PartFile {
    return new PartFile(named, file);
  }

  /** The target itself. @throws {FtpError} LOCAL_IO. A link in its place is not followed: it may lead out of the folder. */
  static async inPlace(target: string): Promise<PartFile> {
    return await opened({ path: target, target, isNew: false }, FLAGS);
  }

  /** A part that nobody else has. @throws {FtpError} LOCAL_IO. */
  static async ofItsOwn(target: string): Promise<PartFile> {
    const url = randomBytes(MARK_DIGITS).toString("hex");
    return await opened(
      { path: partPath(target, { url, size: undefined, modifiedMs: undefined }), target, isNew: true },
      FLAGS | O_EXCL,
    );
  }

  /**
   * The part of this version, to go on with. One that another call or program is writing to stays theirs: this one gets a
   * part of its own then, and starts anew.
   * @throws {FtpError} LOCAL_IO.
   */
  static async continued(path: string, target: string): Promise<PartFile> {
    if (busy.has(path)) return await PartFile.ofItsOwn(target);
    busy.add(path);
    try {
      const part = (await openedIfFree({ path, target })) ?? (await opened({ path, target, isNew: false }, FLAGS));
      if (await part.#isOurs()) return part;
      const file = part.#file;
      part.#file = undefined;
      await file?.close();
    } catch (error) {
      busy.delete(path);
      throw error;
    }
    busy.delete(path);
    return await PartFile.ofItsOwn(target);
  }

  /** Holds it against other programs, as long as it is open; where there is no such lock it is ours unseen. */
  async #isOurs(): Promise<boolean> {
    const { file } = this;
    if (loadSystemCalls()?.lock(file.fd) === false) return false;
    // Whoever had it before may have given it its name meanwhile.
    const held = await file.stat();
    const named = await soon(
      () => lstatSync(this.path, { throwIfNoEntry: false }),
      async () => await lstat(this.path).catch(() => undefined),
    );
    return held.ino === named?.ino;
  }

  get file(): LocalFile {
    if (this.#file === undefined) throw new Error("a part file that is closed");
    return this.#file;
  }

  async size(): Promise<number> {
    return (await (this.#file?.stat() ?? stat(this.path))).size;
  }

  /** Keeps the first octets alone and goes on behind them. */
  async cutTo(octets: number): Promise<void> {
    await this.file.truncate(octets);
  }

  /** It is whole: it gets its time and its name. */
  async publish(modifiedMs: number | undefined): Promise<void> {
    const { file } = this;
    this.#file = undefined;
    try {
      try {
        if (modifiedMs !== undefined) await file.setTime(modifiedMs);
      } finally {
        await file.close();
      }
      const [from, to] = [this.path, this.#target];
      if (from === to) return;
      await soon(
        () => renameSync(from, to),
        async () => await rename(from, to),
      );
    } catch (error) {
      throw localFault(error, `cannot write ${this.#target}`);
    }
  }

  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await rm(this.path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    busy.delete(this.path);
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

type Named = { readonly path: string; readonly target: string };

async function opened(named: Named & { readonly isNew: boolean }, flags: number): Promise<PartFile> {
  try {
    return PartFile.of(named, await LocalFile.open(named.path, flags, 0o666));
  } catch (error) {
    throw localFault(error, `cannot write ${named.target}`);
  }
}

async function openedIfFree(named: Named): Promise<PartFile | undefined> {
  try {
    return PartFile.of({ ...named, isNew: true }, await LocalFile.open(named.path, FLAGS | O_EXCL, 0o666));
  } catch (error) {
    if (systemCode(error) === "EEXIST") return undefined;
    throw localFault(error, `cannot write ${named.target}`);
  }
}
