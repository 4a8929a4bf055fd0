/** One file of the local tree to the server, with its time and mode. */
import { FtpError } from "../errors.ts";
import { LocalFile } from "../local-file.ts";
import { NO_FOLLOW, OPEN_FILE } from "../pinned.ts";
import { partNameOf } from "../put.ts";
import type { Client, Transferred } from "../types.ts";
import type { Abilities } from "./abilities.ts";
import { type Copied, type CopyTerms, changed } from "./copy-down.ts";
import { isOutOfRoom, localError } from "./local-error.ts";
import { type LocalSide, MODE_BITS } from "./local-side.ts";
import type { RemoteSide } from "./remote-side.ts";
import { nameOf, parentOf } from "./side.ts";
import type { Terms } from "./terms.ts";
import type { CopyStep } from "./types.ts";
import type { UploadJournal } from "./upload-journal.ts";

export type UpParts = {
  readonly source: LocalSide;
  readonly there: RemoteSide;
  readonly terms: Terms;
  readonly abilities: Abilities;
  readonly journal: UploadJournal;
};

/** What servers give a new file mostly, where one cannot be asked. */
const USUAL_MODE = 0o644;

export class UpCopier {
  readonly #client: Client;
  readonly #parts: UpParts;
  #canResume = true;
  #usual: Promise<number | undefined> | undefined;

  constructor(client: Client, parts: UpParts) {
    this.#client = client;
    this.#parts = parts;
  }

  /** @throws {FtpError}; what has gone over stays for the next try. */
  async copy(step: CopyStep, how: CopyTerms): Promise<Copied> {
    const { source, terms } = this.#parts;
    return await source.folders.use(parentOf(step.from), async (at) => {
      const path = `${at}/${nameOf(step.from)}`;
      const flags = OPEN_FILE | (terms.links === "follow" ? 0 : NO_FOLLOW);
      await using file = await LocalFile.open(path, flags).catch((error: unknown) => {
        throw localError(error, `read ${step.from}`);
      });
      return await this.#send(step, file, how);
    });
  }

  async #send(step: CopyStep, file: LocalFile, { signal, rate, onProgress }: CopyTerms): Promise<Copied> {
    const { there, terms, abilities, journal } = this.#parts;
    const stat = await file.stat();
    if (!stat.isFile()) throw new FtpError("LOCAL_IO", `${step.from} is no file any more.`, { phase: "local" });
    const remote = there.pathOf(step.path);
    const note = { path: step.path, size: stat.size, ms: stat.mtimeMs, before: step.before?.size };
    const begun =
      this.#canResume && journal.has(step.path)
        ? journal.begun(note, await this.#sizeThere(terms.isAtomic ? partNameOf(remote) : remote, signal))
        : 0;
    if (begun === 0) await journal.begin(note);
    const done = await this.#upload(file, remote, { begun, signal, rate, onProgress });
    await journal.end(step.path);
    const after = await file.stat();
    if (after.size !== stat.size || after.mtimeMs !== stat.mtimeMs) throw changed(step.from);
    const modified = { ms: stat.mtimeMs, precision: "second", zone: "utc" } as const;
    if (terms.times !== false && done.timeKept !== true) {
      await abilities.attempt("times", step.path, async () => await there.setTime(step.path, modified, signal));
    }
    if (terms.modes) await this.#setMode(step, stat.mode & MODE_BITS, signal);
    return { bytes: done.bytes, resumedAt: done.resumedAt };
  }

  /** @param how.begun octets that are there already. */
  async #upload(file: LocalFile, remote: string, how: CopyTerms & { readonly begun: number }): Promise<Transferred> {
    const { begun, signal, rate, onProgress } = how;
    const { verify, times, isAtomic } = this.#parts.terms;
    let moved = 0;
    try {
      // What is sent is the file that was looked at, whatever takes its name meanwhile.
      return await this.#client.upload(file, remote, {
        signal,
        rate,
        mode: begun > 0 ? "resume" : "replace",
        atomic: isAtomic,
        keepTime: times === false ? false : "known",
        verify: begun > 0 && verify !== false ? "hash" : verify,
        retry: { attempts: 1 },
        onProgress: ({ bytes, resumedAt }) => {
          moved = bytes;
          onProgress(bytes, resumedAt);
        },
      });
    } catch (error) {
      // ProFTPD allows no APPE unless it is told to (AllowStoreRestart): what is there is sent again.
      const isRefused = error instanceof FtpError && error.reply !== undefined && begun > 0 && moved === 0;
      if (!isRefused || isOutOfRoom(error)) throw error;
      this.#canResume = false;
      return await this.#upload(file, remote, { ...how, begun: 0 });
    }
  }

  /** SIZE, as our own server and others that publish whole files alone tell no listing of what came in part. */
  async #sizeThere(remote: string, signal: AbortSignal): Promise<number | undefined> {
    const reply = await this.#client.session(
      async (session) => {
        await session.send("TYPE I");
        return await session.ask("SIZE", remote);
      },
      { signal },
    );
    const size = reply.code === 213 ? Number(reply.lines[0]) : Number.NaN;
    if (Number.isSafeInteger(size)) return size;
    if (reply.code !== 500 && reply.code !== 502 && reply.code !== 504) return undefined;
    try {
      return (await this.#client.stat(remote, { signal })).size;
    } catch (error) {
      if (error instanceof FtpError && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** Only where it is not what the server has given it: one command less for nearly every file. */
  async #setMode(step: CopyStep, mode: number, signal: AbortSignal): Promise<void> {
    const { there, abilities } = this.#parts;
    if (!abilities.has("modes")) return;
    const usual = (step.before === undefined ? await this.#usualMode(step.path, signal) : undefined) ?? USUAL_MODE;
    // A server may write into the old file or put a new one into its place: both modes must be the right one.
    if (mode === usual && mode === (step.before?.mode ?? mode)) return;
    await abilities.attempt("modes", step.path, async () => await there.setMode(step.path, mode, signal));
  }

  /** That of the first new file, which is asked for once. */
  async #usualMode(path: string, signal: AbortSignal): Promise<number | undefined> {
    this.#usual ??= this.#client.stat(this.#parts.there.pathOf(path), { signal }).then(
      ({ mode }) => (mode === undefined ? undefined : mode & MODE_BITS),
      () => undefined,
    );
    return await this.#usual;
  }
}
