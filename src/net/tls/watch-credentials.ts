/**
 * Notices a renewed certificate and takes it over while the server runs. Only a pair that is whole, fits and is valid
 * replaces the one in use; until then the old one serves on.
 */
import { stat } from "node:fs/promises";
import { faultMessage } from "../../base/fault-text.ts";
import { CredentialError } from "./credential-fault.ts";
import { type Credential, type CredentialRequest, loadCredential, validityProblem } from "./credential.ts";
import { LOOK_BOUNDS_MS, LOOK_MS, RELOAD_ATTEMPTS, SETTLE_MS } from "./limits.ts";

export type WatchTerms = {
  /** The pair in use. A change between its loading and the watch's begin is noticed too. */
  readonly current: Credential;
  /** A new good pair, at most once each. */
  readonly onChange: (credential: Credential) => void;
  /** Why new files were not taken over: a `CredentialError`, or what `onChange` threw. Told once for each fault. */
  readonly onFault: (fault: unknown) => void;
  /** Milliseconds between two looks; absent: `LOOK_MS`. */
  readonly intervalMs?: number;
  /** Milliseconds since 1970 UTC. */
  readonly now?: () => number;
};

/** "changed": a new pair is in use; "same": the files hold the one in use; "kept": they are not good, and onFault was told. */
export type Reloaded = "changed" | "same" | "kept";

export interface CredentialWatch extends Disposable {
  /** Looks at once, as for SIGHUP, and tells a fault even if it was told before. Never rejects. */
  reloadNow(): Promise<Reloaded>;
}

/**
 * Looks at the files every `intervalMs`. Links are followed, so one that points elsewhere is a change (certbot's `live/`).
 * The timer keeps no process alive. After disposing nothing is told any more.
 * @throws {RangeError} for an interval out of bounds.
 */
export function watchCredentials(files: CredentialRequest, terms: WatchTerms): CredentialWatch {
  return new Watch(files, terms);
}

class Watch implements CredentialWatch {
  readonly #files: CredentialRequest;
  readonly #terms: WatchTerms;
  readonly #intervalMs: number;
  readonly #settleMs: number;
  #current: Credential;
  /** The files' state when they were last read; undefined: never yet, or changed meanwhile. */
  #seen: string | undefined;
  /** The state at the last look, which must be met twice before the files are read. */
  #moving: string | undefined;
  /** The fault that the files have, as it was told. */
  #told: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  /** Looks follow one another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(files: CredentialRequest, terms: WatchTerms) {
    const { intervalMs = LOOK_MS } = terms;
    if (!(intervalMs >= LOOK_BOUNDS_MS.least && intervalMs <= LOOK_BOUNDS_MS.most)) {
      throw new RangeError(`the interval must be ${LOOK_BOUNDS_MS.least} to ${LOOK_BOUNDS_MS.most} ms: ${intervalMs}`);
    }
    this.#files = files;
    this.#terms = terms;
    this.#current = terms.current;
    this.#intervalMs = intervalMs;
    this.#settleMs = Math.min(SETTLE_MS, intervalMs);
    this.#wait(this.#settleMs);
  }

  async reloadNow(): Promise<Reloaded> {
    return await this.#inTurn(async () => {
      this.#told = undefined;
      for (let attempt = 0; attempt < RELOAD_ATTEMPTS; attempt += 1) {
        const result = await this.#read(await stampOf(this.#files));
        if (result !== undefined) return result;
      }
      const text = "the file, or that of its key, keeps changing; it is read when it is at rest";
      this.#tell(new CredentialError({ fault: "changing", file: this.#files.cert, text }));
      return "kept";
    });
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    if (this.#over) return;
    const look = async (): Promise<void> => {
      const isMoving = await this.#inTurn(async () => await this.#look());
      this.#wait(isMoving ? this.#settleMs : this.#intervalMs);
    };
    this.#timer = setTimeout(() => void look(), ms);
    this.#timer.unref();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return await done;
  }

  /** @returns whether the files are changing right now, so that the next look should come soon. */
  async #look(): Promise<boolean> {
    const stamp = await stampOf(this.#files);
    // A fault may end without a change to the files: a folder's rights, a clock that is put right.
    if (stamp === this.#seen && this.#told === undefined) return false;
    if (stamp !== this.#moving) {
      this.#moving = stamp;
      return true;
    }
    return (await this.#read(stamp)) === undefined;
  }

  /**
   * @param stamp the files' state before: if it is another one afterwards, what was read may be half of each.
   * @returns undefined in that case.
   */
  async #read(stamp: string): Promise<Reloaded | undefined> {
    const now = (this.#terms.now ?? Date.now)();
    const loaded = await this.#load(now);
    const isStill = (await stampOf(this.#files)) === stamp;
    this.#seen = isStill ? stamp : undefined;
    if (!isStill) return undefined;
    try {
      if ("fault" in loaded) throw loaded.fault;
      const { credential } = loaded;
      if (credential.cert === this.#current.cert && credential.key === this.#current.key) {
        this.#told = undefined;
        return "same";
      }
      const problem = validityProblem(credential, now);
      if (problem !== undefined) throw problem;
      if (this.#over) return "kept";
      this.#terms.onChange(credential);
      this.#current = credential;
      this.#told = undefined;
      return "changed";
    } catch (fault) {
      this.#tell(fault);
      return "kept";
    }
  }

  async #load(now: number): Promise<{ readonly credential: Credential } | { readonly fault: unknown }> {
    try {
      // The one in use may have run out meanwhile: that alone is no fault of the files.
      return { credential: await loadCredential({ ...this.#files, allowExpired: true }, now) };
    } catch (fault) {
      return { fault };
    }
  }

  #tell(fault: unknown): void {
    const message = faultMessage(fault);
    if (this.#over || message === this.#told) return;
    this.#told = message;
    this.#terms.onFault(fault);
  }
}

/** Times, size and number of both files in one text; what cannot be looked at has its error's code. */
async function stampOf({ cert, key = cert }: CredentialRequest): Promise<string> {
  return (await Promise.all([cert, key].map(stampOfFile))).join(" ");
}

async function stampOfFile(file: string): Promise<string> {
  try {
    const { mtimeNs, ctimeNs, size, ino, dev } = await stat(file, { bigint: true });
    return [mtimeNs, ctimeNs, size, ino, dev].join(":");
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unknown";
  }
}
