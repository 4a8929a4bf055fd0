/** One file from the server into the local tree: to a hidden name beside it, which becomes its own when all is there. */
import { chmod, rm } from "node:fs/promises";
import { FtpError } from "../errors.ts";
import type { Client, EntryTime } from "../types.ts";
import { timesAgree } from "./compare.ts";
import type { LocalSide } from "./local-side.ts";
import { partNameOf } from "./parts.ts";
import type { RemoteSide } from "./remote-side.ts";
import { nameOf, parentOf } from "./side.ts";
import type { Terms } from "./terms.ts";
import type { CopyStep } from "./types.ts";

/** What is told while a file is copied. */
export type CopyTerms = {
  readonly signal: AbortSignal;
  readonly rate: number | undefined;
  readonly onProgress: (bytes: number, resumedAt: number) => void;
};

export type Copied = { readonly bytes: number; readonly resumedAt: number };

type Facts = { readonly size?: number | undefined; readonly modified?: EntryTime | undefined };

export class DownCopier {
  readonly #client: Client;
  readonly #source: RemoteSide;
  readonly #there: LocalSide;
  readonly #terms: Terms;

  constructor(
    client: Client,
    { source, there, terms }: { readonly source: RemoteSide; readonly there: LocalSide; readonly terms: Terms },
  ) {
    this.#client = client;
    this.#source = source;
    this.#there = there;
    this.#terms = terms;
  }

  /** @throws {FtpError}; what has come stays for the next try. */
  async copy(step: CopyStep, how: CopyTerms): Promise<Copied> {
    return await this.#there.folders.use(parentOf(step.path), async (at) => {
      try {
        return await this.#copyTo(`${at}/${nameOf(step.path)}`, step, how);
      } catch (error) {
        throw renamed(error, at, parentOf(step.path));
      }
    });
  }

  async #copyTo(to: string, step: CopyStep, { signal, rate, onProgress }: CopyTerms): Promise<Copied> {
    const { checkAfter, times, umask } = this.#terms;
    const remote = this.#source.pathOf(step.from);
    const facts: Facts = checkAfter ? await this.#factsNow(remote, signal) : step;
    const isKnown = facts.size !== undefined && facts.modified !== undefined;
    const done = await this.#client
      .download(remote, to, {
        signal,
        rate,
        entry: entryOf(facts),
        resume: isKnown,
        // A link that somebody puts here meanwhile must not lead out of the folder.
        links: "replace",
        keepTime: times === "exact" ? "exact" : times !== false,
        verify: this.#verify(step),
        retry: { attempts: 1 },
        onProgress: ({ bytes, resumedAt }) => onProgress(bytes, resumedAt),
      })
      .catch(async (error: unknown) => {
        // What is wrong in itself would be wrong again.
        const isWrong = error instanceof FtpError && error.code === "MISMATCH";
        const { host, port } = this.#client.info;
        const part = isWrong ? partNameOf(to, facts, `${host}:${port}${remote}`) : undefined;
        if (part !== undefined) await rm(part, { force: true });
        throw error;
      });
    if (step.mode !== undefined && step.mode !== (0o666 & ~umask)) await chmod(to, step.mode);
    if (checkAfter) await this.#check(remote, facts, signal);
    return { bytes: done.bytes, resumedAt: done.resumedAt };
  }

  /** What was gone on with is compared as well as the server can: its beginning came at another time. */
  #verify(step: CopyStep): "size" | "hash" | false {
    const { verify } = this.#terms;
    return verify !== false && step.resume !== undefined ? "hash" : verify;
  }

  async #factsNow(remote: string, signal: AbortSignal): Promise<Facts> {
    const { size, modified } = await this.#client.stat(remote, { signal });
    return { size, modified };
  }

  async #check(remote: string, before: Facts, signal: AbortSignal): Promise<void> {
    const after = await this.#factsNow(remote, signal);
    const isSame =
      after.size === before.size &&
      (after.modified === undefined ||
        before.modified === undefined ||
        timesAgree(after.modified, before.modified, false));
    if (!isSame) throw changed(remote);
  }
}

export function changed(path: string): FtpError {
  return new FtpError("MISMATCH", `${path} changed while it was copied.`, { phase: "finish", retryable: true });
}

function entryOf({ size, modified }: Facts): { size?: number; modified?: EntryTime } {
  return { ...(size === undefined ? {} : { size }), ...(modified === undefined ? {} : { modified }) };
}

/** An error that names the file as people know it, and not by the descriptor of its folder. */
function renamed(error: unknown, at: string, folder: string): unknown {
  if (!(error instanceof FtpError) || !error.message.includes(at)) return error;
  const { code, message, phase, connection, command, reply, retryable, bytes, hint, tried, cause } = error;
  const shown = message.replaceAll(`${at}/`, folder === "" ? "" : `${folder}/`);
  return new FtpError(code, shown, { phase, connection, command, reply, retryable, bytes, hint, tried, cause });
}
