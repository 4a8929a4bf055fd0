/**
 * What the client remembers of servers from one run to the next: which data mode came through, whether they spoke TLS, which
 * certificate they showed. Two files in one folder, or memory alone.
 */
import { join } from "node:path";
import { showEndpoint } from "../net/addresses.ts";
import { DATA_MODES, type DataMode } from "./errors.ts";
import { stateFolder } from "./folders.ts";
import { type Change, JsonBook, recordOf } from "./json-book.ts";

/** Servers that are remembered; the longest unused go. Some 300 octets each. */
const HOSTS_MOST = 1_000;
/** Certificates that are remembered, the first ones go: more than one person meets, and each lost is trust to be given anew. */
const KNOWN_MOST = 10_000;
/** Own addresses for which a server's data mode is remembered: the networks that a notebook moves between. */
const NETWORKS_MOST = 16;
/** Milliseconds before a time is written anew: for its sake alone the file is changed once a day. */
const STAMP_MS = 86_400_000;
/** Warnings that are kept. */
const WARNINGS_MOST = 20;

export type Server = { readonly host: string; readonly port: number };

/** A certificate that was believed. `firstSeen`: milliseconds since 1970 UTC. */
export type KnownHost = { readonly fingerprint: string; readonly firstSeen: number };

type ModeEntry = { readonly mode: DataMode; readonly at: number };

/** As it lies in the file. */
type HostEntry = {
  readonly used: number;
  readonly tlsSeen?: number | undefined;
  readonly pipelining?: boolean | undefined;
  /** By our own address. */
  readonly modes?: Readonly<Record<string, ModeEntry>> | undefined;
};

/** What is known of a server. Times in milliseconds since 1970 UTC. */
export type HostMemory = {
  /** The data mode that last came through from this own address. */
  readonly mode?: { readonly mode: DataMode; readonly at: number } | undefined;
  /** Whether it bears the next EPSV while a transfer runs. */
  readonly pipelining?: boolean | undefined;
  /** When it spoke TLS, within a day; absent: never yet. */
  readonly tlsSeen?: number | undefined;
};

/** News of a server; what is absent stays as it was. */
export type HostNews = {
  readonly mode?: DataMode | undefined;
  /** Ours on the control connection: a data mode that works in one network may not in another. */
  readonly ownAddress?: string | undefined;
  readonly pipelining?: boolean | undefined;
  /** TLS stands with it. */
  readonly tls?: true | undefined;
};

export interface ClientStore {
  /** @param ownAddress for `mode`. */
  recall(server: Server, ownAddress?: string): Promise<HostMemory>;
  /** Takes effect at once and is written in the background. Nothing is written if nothing is new. */
  remember(server: Server, news: HostNews): void;
  knownHost(server: Server): Promise<KnownHost | undefined>;
  /** Believes a certificate from now on. One that is believed already stays, unless `replace`. */
  believe(server: Server, fingerprint: string, options?: { readonly replace?: boolean }): void;
  /** Takes away the certificate, so that the next is believed as if it were the first, and that it spoke TLS. */
  forget(server: Server): void;
  /** Once all is written. Never throws. */
  flush(): Promise<void>;
  /** What went wrong with the files, for people; at most `WARNINGS_MOST`. */
  readonly warnings: readonly string[];
  /** The file of certificates, for messages; absent: memory alone. */
  readonly knownHostsFile: string | undefined;
}

export type StoreTerms = {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970 UTC. Default: the clock. */
  readonly now?: () => number;
};

/** @param where a folder, false for memory alone; default `stateFolder`. Nothing is read before it is asked for. */
export function openStore(where: string | false | undefined, terms: StoreTerms = {}): ClientStore {
  const { env = process.env, now = Date.now } = terms;
  return new FileStore(where === false ? undefined : (where ?? stateFolder({ env })), now);
}

class FileStore implements ClientStore {
  readonly warnings: string[] = [];
  readonly knownHostsFile: string | undefined;
  readonly #now: () => number;
  readonly #hosts: JsonBook<HostEntry>;
  readonly #known: JsonBook<KnownHost>;

  constructor(folder: string | undefined, now: () => number) {
    this.#now = now;
    this.knownHostsFile = folder === undefined ? undefined : join(folder, "known-hosts.json");
    const onWarning = (warning: string): void => {
      if (this.warnings.length < WARNINGS_MOST) this.warnings.push(warning);
    };
    const file = folder === undefined ? undefined : join(folder, "hosts.json");
    this.#hosts = new JsonBook({ file, entryOf: hostOf, most: HOSTS_MOST, ageOf: ({ used }) => used, onWarning });
    this.#known = new JsonBook({
      file: this.knownHostsFile,
      entryOf: knownOf,
      most: KNOWN_MOST,
      ageOf: ({ firstSeen }) => firstSeen,
      onWarning,
    });
  }

  async recall(server: Server, ownAddress = ""): Promise<HostMemory> {
    const { modes, pipelining, tlsSeen } = (await this.#hosts.get(keyOf(server))) ?? {};
    // Looked up as an own property: an address is never "constructor", but a caller's text may be.
    const mode = modes !== undefined && Object.hasOwn(modes, ownAddress) ? modes[ownAddress] : undefined;
    return { mode, pipelining, tlsSeen };
  }

  remember(server: Server, news: HostNews): void {
    const now = this.#now();
    this.#hosts.change(keyOf(server), (before) => merged(before, { news, now }));
  }

  async knownHost(server: Server): Promise<KnownHost | undefined> {
    return this.#known.get(keyOf(server));
  }

  believe(server: Server, fingerprint: string, { replace = false }: { readonly replace?: boolean } = {}): void {
    const entry = { fingerprint, firstSeen: this.#now() };
    const change: Change<KnownHost> = (before) =>
      replace && before?.fingerprint !== fingerprint ? entry : (before ?? entry);
    this.#known.change(keyOf(server), change);
  }

  forget(server: Server): void {
    this.#known.change(keyOf(server), () => undefined);
    this.#hosts.change(keyOf(server), (before) => {
      if (before === undefined) return undefined;
      const { tlsSeen: _, ...rest } = before;
      return rest;
    });
  }

  async flush(): Promise<void> {
    await Promise.all([this.#hosts.flush(), this.#known.flush()]);
  }
}

/** Strict about what it takes; what a later version adds is left out. */
function hostOf(value: unknown): HostEntry | undefined {
  const { used, tlsSeen, pipelining, modes } = recordOf(value) ?? {};
  const readModes = modes === undefined ? {} : modesOf(modes);
  if (!isWhole(used) || readModes === undefined) return undefined;
  if (tlsSeen !== undefined && !isWhole(tlsSeen)) return undefined;
  if (pipelining !== undefined && typeof pipelining !== "boolean") return undefined;
  return { used, tlsSeen, pipelining, modes: readModes };
}

function modesOf(value: unknown): HostEntry["modes"] {
  const written = recordOf(value);
  if (written === undefined) return undefined;
  const modes: Record<string, ModeEntry> = {};
  for (const [address, entry] of Object.entries(written)) {
    const mode = modeOf(entry);
    if (mode === undefined) return undefined;
    modes[address] = mode;
  }
  return modes;
}

function modeOf(value: unknown): ModeEntry | undefined {
  const { mode: name, at } = recordOf(value) ?? {};
  const mode = DATA_MODES.find((known) => known === name);
  return mode === undefined || !isWhole(at) ? undefined : { mode, at };
}

function knownOf(value: unknown): KnownHost | undefined {
  const { fingerprint, firstSeen } = recordOf(value) ?? {};
  if (typeof fingerprint !== "string" || !/^[\da-f]{64}$/.test(fingerprint) || !isWhole(firstSeen)) return undefined;
  return { fingerprint, firstSeen };
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

function keyOf({ host, port }: Server): string {
  return showEndpoint({ address: host.toLowerCase(), port });
}

function merged(before: HostEntry | undefined, { news, now }: { news: HostNews; now: number }): HostEntry {
  const { mode, ownAddress = "", pipelining, tls } = news;
  return {
    ...before,
    used: stamp(before?.used, now),
    ...(pipelining === undefined ? {} : { pipelining }),
    ...(tls === undefined ? {} : { tlsSeen: stamp(before?.tlsSeen, now) }),
    ...(mode === undefined ? {} : { modes: withMode(before?.modes ?? {}, { mode, ownAddress, now }) }),
  };
}

type NewMode = { readonly mode: DataMode; readonly ownAddress: string; readonly now: number };

function withMode(modes: NonNullable<HostEntry["modes"]>, { mode, ownAddress, now }: NewMode): HostEntry["modes"] {
  const old = modes[ownAddress];
  const at = stamp(old?.mode === mode ? old.at : undefined, now);
  const others = Object.entries(modes).filter(([address]) => address !== ownAddress);
  const kept = others.toSorted(([, one], [, other]) => other.at - one.at).slice(0, NETWORKS_MOST - 1);
  return Object.fromEntries([...kept, [ownAddress, { mode, at }]]);
}

/** A time within a day of now stays; one of the far future is a clock's that was wrong. */
function stamp(before: number | undefined, now: number): number {
  return before !== undefined && Math.abs(now - before) < STAMP_MS ? before : now;
}
