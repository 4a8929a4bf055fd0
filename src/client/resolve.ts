/** Host names become addresses in both families at the same time, so that a slow answer on one does not hold up the other. */
import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { systemCode } from "../base/system-code.ts";
import { FtpError } from "./errors.ts";
import { alternating } from "./race.ts";

/** Milliseconds that IPv4 waits for the answer on IPv6: the Resolution Delay of RFC 8305 §3. */
const RESOLUTION_DELAY_MS = 50;

/** All addresses of a name in one family. Rejects like `dns.lookup`, with a `code` such as ENOTFOUND. */
export type Lookup = (host: string, family: 4 | 6) => Promise<readonly string[]>;

export type ResolveTerms = {
  /** This family alone. */
  readonly family?: 4 | 6 | undefined;
  /** Default: that of the system, with its hosts file. */
  readonly lookup?: Lookup | undefined;
  /** Ends the wait: it rejects with the reason. */
  readonly signal: AbortSignal;
};

export type Resolved = {
  /** At least one, in the order in which they are to be tried (RFC 8305 §4). */
  readonly first: readonly string[];
  /** Those of a family whose answer is not there yet. Never rejects. */
  readonly later?: Promise<readonly string[]> | undefined;
};

/** @throws {FtpError} UNREACHABLE in the phase "resolve"; USAGE for an address of another family. */
export async function resolveHost(
  host: string,
  { family, lookup = systemAddresses, signal }: ResolveTerms,
): Promise<Resolved> {
  const literal = isIP(host);
  if (literal !== 0) {
    if (family === undefined || literal === family) return { first: [host] };
    throw new FtpError("USAGE", `${host} is no address of IPv${family}, and no other is allowed`, { phase: "resolve" });
  }
  if (family !== undefined) {
    const found = await untilAborted(settled(lookup(host, family)), signal);
    if (found.addresses.length > 0) return { first: found.addresses };
    throw unresolved(host, { errors: [found.error], family });
  }
  return resolveBoth(host, { lookup, signal });
}

type Found = { readonly addresses: readonly string[]; readonly error?: unknown };

async function resolveBoth(
  host: string,
  { lookup, signal }: { lookup: Lookup; signal: AbortSignal },
): Promise<Resolved> {
  let six: Found | undefined;
  let four: Found | undefined;
  const onSix = settled(lookup(host, 6)).then((found) => (six = found));
  const onFour = settled(lookup(host, 4)).then((found) => (four = found));
  const both = Promise.all([onSix, onFour]);
  const either = Promise.race([
    onSix.then(async ({ addresses }) => (addresses.length > 0 ? undefined : both)),
    onFour.then(async ({ addresses }) => {
      const late = delay(RESOLUTION_DELAY_MS, undefined, { ref: false });
      await (addresses.length > 0 ? Promise.race([both, late]) : both);
    }),
  ]);
  await untilAborted(either, signal);
  if (six === undefined) return { first: four?.addresses ?? [], later: onSix.then(({ addresses }) => addresses) };
  if (four === undefined) return { first: six.addresses, later: onFour.then(({ addresses }) => addresses) };
  const first = alternating(six.addresses, four.addresses);
  if (first.length === 0) throw unresolved(host, { errors: [four.error, six.error] });
  return { first };
}

async function systemAddresses(host: string, family: 4 | 6): Promise<readonly string[]> {
  const found = await systemLookup(host, { all: true, family });
  return found.map(({ address }) => address);
}

/** An empty answer and a failure are one: there is nothing to connect to. */
async function settled(looking: Promise<readonly string[]>): Promise<Found> {
  try {
    return { addresses: [...new Set(await looking)] };
  } catch (error) {
    return { addresses: [], error };
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

type Failure = { readonly errors: readonly unknown[]; readonly family?: 4 | 6 };

function unresolved(host: string, { errors, family }: Failure): FtpError {
  const codes = errors.map(systemCode);
  // A server that does not answer weighs more than one that says no: the other family may exist.
  const isPassing = codes.some((code) => code === "EAI_AGAIN" || code === "ETIMEOUT" || code === "ECONNREFUSED");
  const kind = family === undefined ? "" : ` on IPv${family}`;
  const message = isPassing ? `${host}: the name server does not answer` : `${host}: no host of this name${kind}`;
  const hint = isPassing ? "Is this machine connected, and its name server reachable?" : hintOf(host, family);
  const cause = errors.find((error) => error !== undefined);
  return new FtpError("UNREACHABLE", message, { phase: "resolve", hint, retryable: isPassing, cause });
}

function hintOf(host: string, family: 4 | 6 | undefined): string {
  if (family !== undefined) return `Leave out the choice of IPv${family}, if the host is known on the other family.`;
  return host.includes(".") ? "Look at the spelling of the name." : "Write the full name, with its domain.";
}
