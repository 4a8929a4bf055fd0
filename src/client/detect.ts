/** Finds out what works with a server by trying each thing on its own: for people, for bug reports, and for later clients. */
import { isIPv6 } from "node:net";
import { NameCoder } from "./charset.ts";
import { ControlLink } from "./control.ts";
import { dial } from "./dial.ts";
import type { ListingFindings } from "./detect/listing.ts";
import { tryListings } from "./detect/listing.ts";
import { CERTIFICATE_DAYS, WARNINGS_MOST } from "./detect/limits.ts";
import { type ModeFindings, tryModes } from "./detect/modes.ts";
import { triesPipelining } from "./detect/pipelining.ts";
import { type Probe, probing } from "./detect/probe-session.ts";
import { type DataMode, FtpError } from "./errors.ts";
import { REPLY_WAIT_MS } from "./limits.ts";
import { parseProxy } from "./proxy.ts";
import { openStore } from "./store.ts";
import { targetOf } from "./target.ts";
import type { Profile } from "./profile.ts";
import type { ConnectOptions, ServerInfo } from "./types.ts";
import { joinedSignal } from "./waits.ts";

export type DetectOptions = ConnectOptions & {
  /** Hears what is tried next. */
  readonly onStep?: ((what: string) => void) | undefined;
};

/** What one session tells by itself. */
type Basics = {
  readonly info: ServerInfo;
  /** The text of SYST, which the login asks for only where LIST has to be read. */
  readonly system: string;
  readonly isPrivate: boolean;
  readonly isIpv6: boolean;
  /** As OpenSSL writes it: `Nov 23 00:29:00 2026 GMT`. */
  readonly certificateEnds: string | undefined;
};

/**
 * Tries out a server: one session for each question, one after another, so that servers with few places bear it. It reads
 * listings of the home and one small file, and changes nothing there. Whether EPSV may go out early is kept
 * for later clients (`store`).
 * @throws {FtpError} where nobody can sign in; or the signal's reason. All that fails afterwards stands in the profile.
 */
export async function detect(url: string | URL, options: DetectOptions = {}): Promise<Profile> {
  const { onStep = () => {}, ...rest } = options;
  const signal = joinedSignal(options.signal, options.timeoutMs);
  const own: ConnectOptions = { ...rest, signal, timeoutMs: undefined };
  const warnings: string[] = [];
  onStep("greeting, TLS, login, FEAT");
  const basics = await probing(String(url), own, async (probe) => await basicsOf(probe, { own, warnings }));
  const { info, isIpv6 } = basics;
  // The tries themselves leave nothing behind: the last mode that worked need not be the best.
  const tries: ConnectOptions = { ...own, store: false, tls: pinned(own, info), retry: { attempts: 3 } };
  const modes = await tryModes(String(url), tries, { isIpv6, onStep });
  const best = modes.results.find(({ works }) => works)?.mode;
  // Without a data connection there is nothing to look at, and the modes tell why.
  const listing = best === undefined ? undefined : await listingOf(String(url), tries, { best, warnings, onStep });
  const pipelining = await pipeliningOf(String(url), tries, { modes, listing, onStep });
  warnings.push(...(listing?.warnings ?? []), ...modes.warnings, ...warningsOf(basics, modes));
  const isOffered = info.tls !== undefined || (await offersTls(String(url), own));
  if (info.tls === undefined) warnings.unshift(clearText(isOffered));
  const store = openStore(options.store);
  store.remember({ host: info.host, port: info.port }, { pipelining });
  await store.flush();
  return {
    host: info.host,
    port: info.port,
    greeting: info.greeting,
    system: basics.system,
    features: [...info.features].map(([name, more]) => (more === "" ? name : `${name} ${more}`)),
    tls: tlsOf(info, isOffered, modes.resumes),
    modes: modes.results,
    listing: listing?.kind ?? (info.features.has("MLST") ? "mlsd" : "list"),
    pipelining,
    zoneMinutes: listing?.zoneMinutes,
    warnings: [...new Set(warnings)].slice(0, WARNINGS_MOST),
  };
}

function tlsOf({ tls }: ServerInfo, offered: boolean, resumes: boolean | undefined): Profile["tls"] {
  return {
    offered,
    ...(tls === undefined ? {} : { version: tls.version, fingerprint: tls.fingerprint }),
    ...(resumes === undefined ? {} : { resumes }),
  };
}

type Asking = { readonly own: ConnectOptions; readonly warnings: string[] };

async function basicsOf({ hub, session, heard }: Probe, { own, warnings }: Asking): Promise<Basics> {
  const { info } = hub;
  heard("fallback", ({ what }) => void warnings.push(what));
  const syst = info.system === "" ? await session.ask("SYST", { signal: own.signal }) : undefined;
  return {
    info,
    system: syst?.code === 215 ? (syst.lines[0] ?? "") : info.system,
    isPrivate: session.isPrivate,
    isIpv6: isIPv6(info.address),
    certificateEnds: session.tls?.control?.getPeerCertificate().valid_to,
  };
}

type ListingAsking = {
  readonly best: DataMode;
  readonly warnings: string[];
  readonly onStep: (what: string) => void;
};

async function listingOf(
  url: string,
  tries: ConnectOptions,
  { best, warnings, onStep }: ListingAsking,
): Promise<ListingFindings | undefined> {
  onStep("listings");
  try {
    const options = { ...tries, data: { ...tries.data, modes: [best] } };
    return await probing(url, options, async (probe) => await tryListings(probe, tries.signal));
  } catch (error) {
    tries.signal?.throwIfAborted();
    if (!(error instanceof FtpError)) throw error;
    warnings.push(error.message);
    return undefined;
  }
}

/** The certificate of the first session is that of all: nobody is asked again, and no other is believed. */
function pinned(own: ConnectOptions, { tls }: ServerInfo): ConnectOptions["tls"] {
  const given = typeof own.tls === "string" ? { mode: own.tls } : own.tls;
  return tls === undefined ? given : { ...given, fingerprint: tls.fingerprint };
}

async function pipeliningOf(
  url: string,
  tries: ConnectOptions,
  {
    modes,
    listing,
    onStep,
  }: { modes: ModeFindings; listing: ListingFindings | undefined; onStep: (what: string) => void },
): Promise<boolean | undefined> {
  const file = listing?.smallFile;
  const works = new Set(modes.results.filter((result) => result.works).map(({ mode }) => mode));
  const verb = works.has("epsv") ? "EPSV" : works.has("pasv") ? "PASV" : undefined;
  if (file === undefined || verb === undefined) return undefined;
  onStep(`${verb} while a file is on its way`);
  return await triesPipelining(url, tries, { verb, file });
}

/** AUTH TLS on a connection of its own, where the caller wanted none of it (RFC 4217 §4). */
async function offersTls(url: string, own: ConnectOptions): Promise<boolean> {
  const target = targetOf(url, own);
  if (target.tlsMode !== "off") return false;
  const { proxy, signal, family, replyMs = REPLY_WAIT_MS } = own;
  if (proxy !== undefined && parseProxy(proxy).kind === "ftp") return false;
  try {
    const { socket } = await dial(target.dialled, { signal, timeoutMs: replyMs, proxy, family });
    const names = new NameCoder();
    const link = new ControlLink(socket, { names, replyMs, watcher: { command: () => {}, reply: () => {} } });
    try {
      await link.reply({ phase: "greeting", signal });
      link.write("AUTH TLS");
      return (await link.reply({ signal })).code === 234;
    } finally {
      link.destroy();
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof FtpError) return false;
    throw error;
  }
}

function clearText(isOffered: boolean): string {
  return isOffered
    ? "TLS was not used, though the server offers it: name, password and files went in clear text"
    : "the server offers no TLS: name, password and files go in clear text, for anybody on the way to read";
}

const DAY_MS = 86_400_000;

function warningsOf({ info, isPrivate, certificateEnds }: Basics, modes: ModeFindings): readonly string[] {
  const warnings: string[] = [];
  if (info.features.size === 0) {
    warnings.push("FEAT is not answered, or not as RFC 2389 has it: nobody can know what this server can do");
  } else if (info.tls !== undefined && !info.features.has("AUTH") && !info.features.has("PBSZ")) {
    warnings.push("TLS works, but FEAT does not say so: some clients will not try it");
  }
  if (info.tls !== undefined && !isPrivate)
    warnings.push("the login is encrypted, files and listings are not (PROT P)");
  if (modes.resumes === false) {
    warnings.push(
      "data connections do not resume the TLS session of the control connection: nobody can tell that both belong together",
    );
  }
  const days = (Date.parse(certificateEnds ?? "") - Date.now()) / DAY_MS;
  if (days < CERTIFICATE_DAYS) {
    warnings.push(days < 0 ? "the certificate has expired" : `the certificate ends in ${Math.floor(days)} days`);
  }
  return [...warnings, ...modeWarnings(modes)];
}

function modeWarnings({ results }: ModeFindings): readonly string[] {
  const works = results.filter((result) => result.works).map(({ mode }) => mode);
  if (results.length > 0 && works.length === 0) {
    return ["no data connection comes about in any way: listings and files cannot pass"];
  }
  const isPassive = works.includes("epsv") || works.includes("pasv");
  const wasTried = results.some(({ mode }) => mode === "epsv" || mode === "pasv");
  return wasTried && !isPassive
    ? ["only active mode works: clients behind a NAT or firewall, which are most, cannot use this server"]
    : [];
}
