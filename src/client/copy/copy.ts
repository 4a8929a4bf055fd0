/**
 * A file from one server to another: straight, where both allow it, else through us. Which way it was, and why not the
 * shorter one, is said with the result.
 */
import { type DataMode, FtpError, type FtpReply } from "../errors.ts";
import { type SourceFacts, askSize, sourceFacts } from "../facts.ts";
import type { Hub } from "../hub.ts";
import { hubOf } from "../hub-of.ts";
import { partNameOf, takeName } from "../put.ts";
import { withRetries } from "../retry.ts";
import { setTimeAt } from "../set-time.ts";
import type { Client, Copied, CopyOptions, Transferred } from "../types.ts";
import { hashAt, sizeMismatch } from "../verify.ts";
import { joinedSignal } from "../waits.ts";
import { type FxpEnd, transferBetween } from "./fxp.ts";
import { CLEAN_UP_MS, FXP_FORGET_MS, FXP_LOOK_MS, FXP_STILL_MS, FXP_WAIT_MS } from "./limits.ts";
import { type RelayEnd, type RelayPlan, relay } from "./relay.ts";
import { type Pair, withTwo } from "./two-sessions.ts";

/** What is known of two servers. */
type Acquaintance = { listens: keyof Pair | undefined; why: string | undefined; since: number };
const known = new WeakMap<Hub, WeakMap<Hub, Acquaintance>>();

/**
 * Copies one file. What has failed leaves no half file at the target.
 * @throws {FtpError}: UNSUPPORTED where `fxp` is "require" and the servers cannot; or the signal's reason.
 */
export async function copyBetween(
  from: Client | Hub,
  fromPath: string,
  to: Client | Hub,
  toPath: string,
  options: CopyOptions = {},
): Promise<Copied> {
  const hubs = { from: hubOf(from), to: hubOf(to) };
  const paths = { from: hubs.from.path(fromPath), to: hubs.to.path(toPath) };
  const { host, port } = hubs.from.info;
  if (hubs.to.info.host === host && hubs.to.info.port === port && paths.from === paths.to) {
    throw new FtpError("USAGE", `${fromPath} cannot be copied onto itself`, { phase: "command" });
  }
  if (options.atomic !== true) return await new Copy(hubs, paths, options).run();
  const signal = joinedSignal(options.signal, options.timeoutMs);
  const part = partNameOf(paths.to);
  const done = await new Copy(hubs, { ...paths, to: part }, { ...options, signal, timeoutMs: undefined }).run();
  await takeName(hubs.to, part, { path: paths.to, signal, retry: options.retry });
  return done;
}

type Paths = { readonly from: string; readonly to: string };
type Hubs = { readonly from: Hub; readonly to: Hub };

class Copy {
  readonly #hubs: Hubs;
  readonly #paths: Paths;
  readonly #options: CopyOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #begun = performance.now();
  #source: SourceFacts = { size: undefined, modified: undefined };
  /** What was at the target before; undefined size: nothing, or nobody knows. */
  #before: SourceFacts = { size: undefined, modified: undefined };
  /** Octets of ours may be at the target. */
  #hasBegun = false;
  #hasRest = true;
  #bytes = 0;

  constructor(hubs: Hubs, paths: Paths, options: CopyOptions) {
    this.#hubs = hubs;
    this.#paths = paths;
    this.#options = options;
    this.#signal = joinedSignal(options.signal, options.timeoutMs);
  }

  async run(): Promise<Copied> {
    [this.#source, this.#before] = await Promise.all([this.#factsOf("from"), this.#factsOf("to")]);
    try {
      const { fxp = "auto" } = this.#options;
      const straight = fxp === "never" ? "it was not to go straight" : await this.#straight();
      if (typeof straight !== "string") return await this.#finish({ ...straight, way: "fxp" });
      if (fxp === "require") {
        throw new FtpError("UNSUPPORTED", `${this.#paths.from} does not go straight to the other server: ${straight}`, {
          phase: "data-open",
          connection: "data",
          retryable: false,
          hint: "servers must allow FXP, and no proxy be between: vsftpd pasv_promiscuous and port_promiscuous, ProFTPD AllowForeignAddress, Ferryman server.fxp",
        });
      }
      const relayed = await this.#relayed();
      return await this.#finish({ ...relayed, way: "relay", why: straight });
    } catch (error) {
      await this.#cleanUp();
      throw error;
    }
  }

  async #factsOf(side: keyof Hubs): Promise<SourceFacts> {
    const hub = this.#hubs[side];
    const signal = this.#signal;
    return await hub.call(async (session) => await sourceFacts(this.#paths[side], { hub, session, signal }), {
      signal,
      retry: this.#options.retry,
    });
  }

  /** @returns why it could not be. */
  async #straight(): Promise<string | { readonly isPrivate: boolean; readonly reply: FtpReply | undefined }> {
    const { from, to } = this.#hubs;
    const { size } = this.#source;
    const proxied = [from, to].find(({ isProxied }) => isProxied);
    if (proxied !== undefined) return `${proxied.info.host} is reached through a proxy, and the two would go around it`;
    // Both servers begin at once: for a file that is not there the target would be emptied in vain.
    if (size === undefined) return "the server does not tell the size of the file";
    const pair = acquaintanceOf(from, to);
    const isKnown = performance.now() - pair.since < FXP_FORGET_MS;
    if (pair.why !== undefined && isKnown && this.#options.fxp !== "require") return pair.why;
    const reasons = new Set<string>();
    const orders: readonly (keyof Pair)[] = pair.listens === "from" ? ["from", "to"] : ["to", "from"];
    for (const listens of orders) {
      const end = await this.#once(listens);
      const there = end.hasBegun ? await this.#sizeThere() : undefined;
      if (end.isDone && (there === undefined || there === size)) {
        pair.listens = listens;
        this.#arrived(size);
        return end;
      }
      reasons.add(end.isDone ? `${there} octets had arrived, and ${size} were to come` : end.why);
      // It can be, and was cut: another time it may work.
      if (this.#isOurs(there)) return [...reasons].join("; ");
    }
    const why = [...reasons].join("; ");
    [pair.why, pair.since] = [why, performance.now()];
    from.emit("fallback", { id: 0, what: `files do not go straight to ${to.info.host}: ${why}` });
    return why;
  }

  /** Whether a size at the target is that of a part of the copy: some servers show what was there before until it is whole. */
  #isOurs(there: number | undefined): there is number {
    return there !== undefined && there > 0 && there !== this.#before.size;
  }

  #arrived(bytes: number): void {
    this.#bytes = bytes;
    this.#options.onProgress?.({ bytes, resumedAt: 0, total: this.#source.size });
  }

  async #once(listens: keyof Pair): Promise<FxpEnd & { readonly isPrivate: boolean }> {
    const stop = new AbortController();
    const signal = this.#signal === undefined ? stop.signal : AbortSignal.any([this.#signal, stop.signal]);
    const { fxpWaitMs: waitMs = FXP_WAIT_MS } = this.#options;
    let looks: Promise<void> | undefined;
    const begun = (): void => {
      this.#hasBegun = true;
      looks = this.#look(stop);
    };
    try {
      return await withTwo(
        this.#hubs,
        async (pair) => {
          const { from: fromPath, to: toPath } = this.#paths;
          // A STOR that is refused a data connection has emptied the file with some servers.
          this.#hasBegun = true;
          const end = await transferBetween({ ...pair, fromPath, toPath, listens, signal, begun, waitMs });
          return { ...end, isPrivate: pair.from.isPrivate };
        },
        signal,
      );
    } catch (error) {
      if (this.#signal?.aborted === true || !(error instanceof FtpError)) throw error;
      return { isDone: false, why: error.message, hasBegun: true, isPrivate: false };
    } finally {
      stop.abort(new FtpError("ABORTED", "the copy is over", { phase: "transfer" }));
      await looks;
    }
  }

  /** Looks how long the copy is meanwhile, by another connection, if there is one to be had. */
  async #look(stop: AbortController): Promise<void> {
    let [last, since] = [-1, performance.now()];
    const { signal } = stop;
    for (;;) {
      await pause(FXP_LOOK_MS, signal);
      if (signal.aborted) return;
      const there = await this.#sizeThere(signal);
      if (!this.#isOurs(there)) continue;
      const now = performance.now();
      if (there !== last) [last, since] = [there, now];
      else if (now - since > FXP_STILL_MS) stop.abort(STILL);
      if (there > this.#bytes && there <= (this.#source.size ?? 0)) this.#arrived(there);
    }
  }

  /** Undefined: it cannot be known. */
  async #sizeThere(given?: AbortSignal): Promise<number | undefined> {
    const { to: hub } = this.#hubs;
    const signal = given ?? this.#signal;
    try {
      const there = await hub.call(async (session) => await askSize(this.#paths.to, { hub, session, signal }), {
        signal,
        retry: { attempts: 1 },
      });
      return typeof there === "number" ? there : undefined;
    } catch {
      return undefined;
    }
  }

  async #relayed(): Promise<{ mode?: DataMode; isPrivate: boolean; reply: FtpReply | undefined }> {
    const signal = this.#signal;
    const retry = this.#options.retry ?? {};
    return await withRetries(
      async () => {
        const offset = await this.#offset();
        this.#bytes = offset;
        const { from: fromPath, to: toPath } = this.#paths;
        const plan = {
          hubs: this.#hubs,
          fromPath,
          toPath,
          offset,
          size: this.#source.size,
          rate: this.#options.rate,
          signal,
          moved: (octets: number): void => {
            this.#hasBegun = true;
            this.#arrived(this.#bytes + octets);
          },
        };
        const end = await withTwo(this.#hubs, async (pair) => await this.#relayOnce(pair, plan), signal);
        await this.#compareSizes();
        return end;
      },
      { options: retry, signal, heard: (detail) => this.#hubs.from.emit("retry", detail) },
    );
  }

  async #relayOnce(pair: Pair, plan: RelayPlan): Promise<RelayEnd> {
    try {
      return await relay(pair, plan);
    } catch (error) {
      if (!(error instanceof FtpError) || error.command?.startsWith("REST ") !== true) throw error;
      this.#hasRest = false;
      this.#bytes = 0;
      return await relay(pair, { ...plan, offset: 0 });
    }
  }

  /** Where it goes on: behind what is surely of this copy, which began with nothing there, and of the same version. */
  async #offset(): Promise<number> {
    const { size, modified } = this.#source;
    if (!this.#hasBegun || !this.#hasRest || this.#before.size !== undefined || size === undefined) return 0;
    const there = await this.#sizeThere();
    if (there === undefined || there === 0 || there >= size) return 0;
    const now = await this.#factsOf("from");
    const isSame = modified !== undefined && now.size === size && now.modified?.ms === modified.ms;
    this.#source = now;
    return isSame ? there : 0;
  }

  async #compareSizes(): Promise<void> {
    const { size } = this.#source;
    if (this.#options.verify === false || size === undefined) return;
    const there = await this.#sizeThere();
    if (there !== undefined && there !== size) throw sizeMismatch(this.#paths.to, size, there);
  }

  async #finish(end: {
    readonly way: Copied["way"];
    readonly why?: string;
    readonly mode?: DataMode;
    readonly isPrivate: boolean;
    readonly reply: FtpReply | undefined;
  }): Promise<Copied> {
    const verified = await this.#verify();
    if (this.#options.keepTime ?? true) await this.#keepTime();
    const { way, why, mode, isPrivate, reply } = end;
    const ms = Math.round(performance.now() - this.#begun);
    return { bytes: this.#bytes, ms, resumedAt: 0, verified, mode, isPrivate, reply, way, why };
  }

  /** @throws {FtpError} MISMATCH. */
  async #verify(): Promise<Transferred["verified"]> {
    const { verify = "size" } = this.#options;
    if (verify === false) return false;
    if (verify === "hash" && (await this.#compareHashes())) return "hash";
    return this.#source.size !== undefined && (await this.#sizeThere()) === this.#source.size ? "size" : false;
  }

  async #compareHashes(): Promise<boolean> {
    const { from, to } = this.#hubs;
    const signal = this.#signal;
    const ours = await from.call(
      async (session) => await hashAt(this.#paths.from, { signal }, { session, hub: from }),
      {
        signal,
      },
    );
    if (ours === undefined) return false;
    const { algorithm } = ours;
    const theirs = await to.call(
      async (session) => await hashAt(this.#paths.to, { signal, algorithm }, { session, hub: to }),
      { signal },
    );
    if (theirs === undefined) return false;
    if (theirs.hash === ours.hash) return true;
    throw new FtpError(
      "MISMATCH",
      `${this.#paths.to}: ${algorithm} is ${theirs.hash}, and ${ours.hash} at the source`,
      {
        phase: "finish",
        connection: "data",
        retryable: false,
      },
    );
  }

  /** A server that keeps no times is none to fail for. */
  async #keepTime(): Promise<void> {
    const { to: hub } = this.#hubs;
    const { modified } = this.#source;
    if (modified === undefined) return;
    const signal = this.#signal;
    try {
      await hub.call(
        async (session) => await setTimeAt(this.#paths.to, new Date(modified.ms), { hub, session, signal }),
        {
          signal,
          retry: { attempts: 1 },
        },
      );
    } catch (error) {
      if (!(error instanceof FtpError)) throw error;
      hub.emit("fallback", { id: 0, what: `${this.#paths.to} has the server's time: ${error.message}` });
    }
  }

  /** Takes away what is half. A file that was there before, and is as it was, is not ours to take. */
  async #cleanUp(): Promise<void> {
    if (!this.#hasBegun) return;
    const { to: hub } = this.#hubs;
    const signal = AbortSignal.timeout(CLEAN_UP_MS);
    try {
      await hub.call(
        async (session) => {
          const now = await sourceFacts(this.#paths.to, { hub, session, signal });
          const { size, modified } = this.#before;
          const isOld = size !== undefined && now.size === size && now.modified?.ms === modified?.ms;
          if (now.size !== undefined && !isOld) await session.ask(`DELE ${this.#paths.to}`, { signal });
        },
        { signal, retry: { attempts: 1 } },
      );
    } catch {
      // The error that there is already says more than this one.
    }
  }
}

const STILL = new FtpError("STALLED", `nothing has arrived for ${FXP_STILL_MS / 1000} s`, { phase: "transfer" });

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function acquaintanceOf(from: Hub, to: Hub): Acquaintance {
  const others = known.get(from) ?? new WeakMap<Hub, Acquaintance>();
  known.set(from, others);
  const found = others.get(to) ?? { listens: undefined, why: undefined, since: 0 };
  others.set(to, found);
  return found;
}
