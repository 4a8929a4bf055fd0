/**
 * Which uploads have begun and not ended, so that the next run may go on with them: a shorter file at the server is
 * only a beginning of ours if it says so here, for the same size and time of ours. One small file for each mirror.
 */
import { createHash } from "node:crypto";
import { appendFile, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../base/make-folders.ts";
import { systemCode } from "../../base/system-code.ts";
import { JOURNAL_OCTETS, RESUME_LEAST } from "./limits.ts";
import { localError } from "./local-error.ts";

export type UploadNote = {
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970, of our file. */
  readonly ms: number;
  /** Octets of what lay there before: where servers publish whole files only, it is still that. */
  readonly before?: number | undefined;
};

export class UploadJournal {
  readonly #folder: string | false;
  readonly #file: string;
  readonly #notes = new Map<string, UploadNote>();
  #isMade = false;
  /** Each line after the one before. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string | false, mirror: string) {
    this.#folder = folder;
    const name = createHash("sha256").update(mirror).digest("hex").slice(0, 24);
    this.#file = folder === false ? "" : join(folder, `${name}.jsonl`);
  }

  /** @param folder false: notes of this run alone. @param mirror says which server and folders these are. */
  static async open(folder: string | false, mirror: string): Promise<UploadJournal> {
    const journal = new UploadJournal(folder, mirror);
    if (folder !== false) await journal.#load();
    return journal;
  }

  /**
   * How much of our file lies there already.
   * @param there octets of what lies there; undefined: nothing. @returns 0 if what is there is not surely ours.
   */
  begun({ path, size, ms }: UploadNote, there: number | undefined): number {
    const note = this.#notes.get(path);
    if (there === undefined || note === undefined || note.size !== size || note.ms !== ms) return 0;
    return there < size && there !== note.before ? there : 0;
  }

  has(path: string): boolean {
    return this.#notes.has(path);
  }

  /** @throws {FtpError} when it cannot be written. */
  async begin(note: UploadNote): Promise<void> {
    if (note.size < RESUME_LEAST) return;
    this.#notes.set(note.path, note);
    await this.#write(note);
  }

  async end(path: string): Promise<void> {
    if (this.#notes.delete(path)) await this.#write({ path });
  }

  /** Nothing is left behind when nothing is left to do. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#isMade && this.#notes.size === 0) await rm(this.#file, { force: true });
  }

  async #load(): Promise<void> {
    let text: string;
    try {
      await using file = await open(this.#file, "r");
      const octets = Buffer.alloc(JOURNAL_OCTETS);
      const { bytesRead } = await file.read(octets, 0, octets.length, 0);
      text = octets.toString("utf8", 0, bytesRead);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return;
      throw localError(error, `read ${this.#file}`);
    }
    this.#isMade = true;
    for (const line of text.split("\n")) this.#hear(line);
  }

  /** A line that was cut by a crash says nothing. */
  #hear(line: string): void {
    const note = parsed(line);
    if (!isObject(note) || typeof note["path"] !== "string") return;
    const { path, size, ms, before } = note;
    if (typeof size !== "number" || typeof ms !== "number") this.#notes.delete(path);
    else this.#notes.set(path, { path, size, ms, before: typeof before === "number" ? before : undefined });
  }

  async #write(line: UploadNote | { readonly path: string }): Promise<void> {
    const folder = this.#folder;
    if (folder === false) return;
    this.#writing = this.#writing.then(async () => {
      if (!this.#isMade) await makeFolders(folder, 0o700);
      this.#isMade = true;
      // It begins a line of its own even behind one that a crash has cut.
      await appendFile(this.#file, `\n${JSON.stringify(line)}`, { mode: 0o600 });
    });
    const written = this.#writing;
    this.#writing = written.catch(() => {});
    await written.catch((error: unknown) => {
      throw localError(error, `note the upload in ${this.#file}`);
    });
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
