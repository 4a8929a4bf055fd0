/** From a TCP connection to a session that can work: greeting, TLS, login, what the server can do (RFC 959 §5.4, RFC 4217 §4). */
import { unquotePath } from "../protocol/reply.ts";
import type { ByteString } from "../base/bytes.ts";
import type { ControlLink } from "./control.ts";
import { FtpError, type FtpPhase, type FtpReply, shownCommand, shownReply, withDetails } from "./errors.ts";
import { replyError } from "./reply-errors.ts";
import type { LoginStep } from "./proxy-login.ts";
import type { ClientTls } from "./tls.ts";
import { withoutTls } from "./trust.ts";
import type { ServerInfo, TlsMode } from "./types.ts";

export type LoginTerms = {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly user: string;
  readonly password: string;
  readonly account: string | undefined;
  readonly tlsMode: TlsMode;
  readonly tls: ClientTls | undefined;
  readonly dataIsClear: boolean;
  readonly commands: readonly string[];
  /** In place of USER and PASS, for a proxy that speaks FTP. */
  readonly proxySteps?: readonly LoginStep[] | undefined;
  /** What an earlier login of the same client has found: it is not asked again. */
  readonly known: ServerInfo | undefined;
  readonly signal: AbortSignal;
  /** When this host last spoke TLS, in milliseconds since 1970 UTC. */
  readonly tlsSeen: number | undefined;
  /** Earlier sessions of this client had private data connections: this one must have them, too. */
  readonly wasPrivate: boolean;
  /** One line to a person. */
  readonly note: (what: string) => void;
};

export type LoggedIn = { readonly info: ServerInfo; readonly isPrivate: boolean };

/** @throws {FtpError}: the connection is of no use then. */
export async function login(link: ControlLink, terms: LoginTerms): Promise<LoggedIn> {
  const { tls, signal } = terms;
  const { greeting, isSecure } = await open(link, terms);
  await signIn(link, terms);
  const ask = async (line: string): Promise<FtpReply> => await command(link, line, { signal });
  const features = terms.known?.features ?? (await readFeatures(ask));
  const isPrivate = isSecure && (await protect(ask, terms));
  await prepare(ask, features);
  await runCommands(ask, terms.commands);
  const { known } = terms;
  // What system it is matters for LIST alone.
  const system = known?.system ?? (features.has("MLST") ? "" : await readSystem(ask));
  const home = known?.home ?? (await readHome(ask, link));
  const isTls = isSecure && tls !== undefined;
  const { host, port, address, user } = terms;
  const info = {
    host,
    port,
    address,
    greeting: greeting.lines.join("\n"),
    system,
    features,
    home,
    user,
    tls: isTls ? tlsOf(tls) : undefined,
  };
  return { info, isPrivate };
}

/** The greeting, and TLS before or after it. */
async function open(
  link: ControlLink,
  terms: LoginTerms,
): Promise<{ readonly greeting: FtpReply; readonly isSecure: boolean }> {
  const { tlsMode, tls } = terms;
  if (tls === undefined || tlsMode === "off") return { greeting: await greet(link, terms), isSecure: false };
  if (tlsMode === "implicit") await secureAtOnce(link, tls, terms);
  const greeting = await greet(link, terms);
  return { greeting, isSecure: tlsMode === "implicit" || (await startTls(link, tls, terms)) };
}

async function runCommands(ask: (line: string) => Promise<FtpReply>, commands: readonly string[]): Promise<void> {
  for (const line of commands) {
    const reply = await ask(line);
    const shown = shownCommand(line);
    if (reply.code >= 400)
      throw replyError(`the command after login ${shown}`, reply, { phase: "login", command: shown });
  }
}

function tlsOf({ control }: ClientTls): ServerInfo["tls"] {
  if (control === undefined) return undefined;
  return {
    version: control.getProtocol() ?? "",
    cipher: control.getCipher().standardName,
    // Not `getPeerX509Certificate`, which Node 24 gives a client once only.
    fingerprint: control.getPeerCertificate().fingerprint256,
  };
}

async function secureAtOnce(link: ControlLink, tls: ClientTls, { host, port, signal }: LoginTerms): Promise<void> {
  try {
    await secure(link, tls, signal);
  } catch (error) {
    if (!(error instanceof FtpError) || error.code !== "TLS_FAILED" || error.hint !== undefined) throw error;
    const hint = "ftps:// is TLS from the first octet on, as on port 990; for a port like 21 write ftpes://";
    throw withDetails(error, { message: `${host} port ${port}: ${error.message}`, hint });
  }
}

async function secure(link: ControlLink, tls: ClientTls, signal: AbortSignal): Promise<void> {
  await link.upgrade(async (bare) => await tls.secureControl(bare, signal));
}

/** 120 says that it takes a while (RFC 959 §5.4). */
async function greet(link: ControlLink, terms: LoginTerms): Promise<FtpReply> {
  const { host, signal } = terms;
  const reply = await link.finalReply({ phase: "greeting", signal }).catch((error: unknown) => {
    throw error instanceof FtpError ? notGreeted(error, terms) : error;
  });
  if (reply.code < 400) return reply;
  throw replyError(`${host} does not let us in`, reply, { phase: "greeting" });
}

/** Another protocol, or another port of FTP: what to write in its place. */
function notGreeted(error: FtpError, { host, port, tlsMode }: LoginTerms): FtpError {
  const message = `${host} port ${port}: ${error.message}`;
  if (error.code === "PROTOCOL") return withDetails(error, { message, phase: "greeting" });
  const isSilent = error.code === "TIMEOUT" && tlsMode !== "implicit";
  const hint = "a port of implicit TLS is silent until TLS has begun: if this is one (990 is), write ftps://";
  return isSilent ? withDetails(error, { message, hint }) : error;
}

async function command(
  link: ControlLink,
  line: string,
  { signal, phase = "login" }: { readonly signal: AbortSignal; readonly phase?: FtpPhase },
): Promise<FtpReply> {
  link.settle();
  link.write(line);
  return await link.finalReply({ phase, signal });
}

/** @returns false where "auto" goes on in clear text. @throws TLS_DOWNGRADE where it must not. */
async function startTls(link: ControlLink, tls: ClientTls, terms: LoginTerms): Promise<boolean> {
  const { signal, host, port, tlsMode, tlsSeen, note } = terms;
  const reply = await command(link, "AUTH TLS", { signal, phase: "tls" });
  if (reply.code === 234) {
    await secure(link, tls, signal);
    return true;
  }
  const fault = withoutTls({ server: { host, port }, mode: tlsMode, tlsSeen, reply });
  if (fault !== undefined) throw fault;
  if (terms.known === undefined) note(`${host} offers no TLS: name, password and files go in clear text`);
  return false;
}

async function signIn(link: ControlLink, terms: LoginTerms): Promise<void> {
  const { user, password, account, signal, proxySteps } = terms;
  if (proxySteps !== undefined) {
    let last = 0;
    for (const { verb, argument, when } of proxySteps) {
      if (when !== "always" && String(last) !== when) continue;
      const reply = await command(link, `${verb} ${argument}`, { signal });
      if (reply.code >= 400) throw refusedLogin(terms, reply, `${verb} ${argument}`);
      last = reply.code;
    }
    return;
  }
  let line = `USER ${user}`;
  let reply = await command(link, line, { signal });
  if (reply.code === 331) reply = await command(link, (line = `PASS ${password}`), { signal });
  if (reply.code === 332) {
    if (account === undefined) throw refusedLogin(terms, reply, line);
    reply = await command(link, (line = `ACCT ${account}`), { signal });
  }
  // 202: signed in already, 232: by the certificate (RFC 2228 §3).
  if (reply.code >= 300) throw refusedLogin(terms, reply, line);
}

function refusedLogin({ user, host }: LoginTerms, reply: FtpReply, line: string): FtpError {
  const error = replyError(`${host} does not let ${user} in`, reply, { phase: "login", command: shownCommand(line) });
  if (error.code !== "UNSUPPORTED" && error.code !== "NOT_FOUND" && error.code !== "PROTOCOL") return error;
  return new FtpError("AUTH", error.message, { phase: "login", command: error.command, reply, hint: error.hint });
}

/** FEAT lists one ability on each line between the first and the last (RFC 2389 §3.2). */
async function readFeatures(ask: (line: string) => Promise<FtpReply>): Promise<ReadonlyMap<string, string>> {
  const reply = await ask("FEAT");
  const features = new Map<string, string>();
  if (reply.code !== 211) return features;
  for (const line of reply.lines.slice(1, -1)) {
    const [, name = "", rest = ""] = /^\s*(?:211-)?\s*(\S+)\s*(.*)$/.exec(line) ?? [];
    if (name !== "" && features.size < FEATURES_MOST) features.set(name.toUpperCase(), rest);
  }
  return features;
}

/** Features that are kept of one server: there are some 40 in all. */
const FEATURES_MOST = 200;

/** PBSZ must come before PROT (RFC 4217 §8, §9). @returns whether data connections are private. */
async function protect(ask: (line: string) => Promise<FtpReply>, terms: LoginTerms): Promise<boolean> {
  const { dataIsClear, host, note } = terms;
  await ask("PBSZ 0");
  const reply = await ask(dataIsClear ? "PROT C" : "PROT P");
  if (reply.code < 300) return !dataIsClear;
  if (dataIsClear) throw replyError(`${host} refuses data in clear text`, reply, { phase: "login", command: "PROT C" });
  if (terms.tlsMode !== "auto" || terms.wasPrivate) {
    throw new FtpError("TLS_DOWNGRADE", `${host} refuses to protect data connections: ${shownReply(reply)}`, {
      phase: "login",
      command: "PROT P",
      reply,
      hint: "to send files in clear text, say so: data clear",
    });
  }
  if (terms.known === undefined) note(`${host} refuses to protect data connections: files go in clear text`);
  return false;
}

/** Facts that we can use, where there are any. */
const FACTS_WANTED =
  "type;size;modify;unix.mode;unix.owner;unix.group;unix.uid;unix.gid;unix.ownername;unix.groupname;";

async function prepare(ask: (line: string) => Promise<FtpReply>, features: ReadonlyMap<string, string>): Promise<void> {
  // Servers of RFC 2640 take UTF-8 without being told; some want to be (the draft's OPTS UTF8).
  if (features.has("UTF8")) await ask("OPTS UTF8 ON");
  const offered = features.get("MLST");
  if (offered === undefined) return;
  const isOff = offered
    .split(";")
    .some((fact) => fact !== "" && !fact.endsWith("*") && FACTS_WANTED.includes(`${fact.toLowerCase()};`));
  if (isOff) await ask(`OPTS MLST ${wantedOf(offered)}`);
}

function wantedOf(offered: string): string {
  return offered
    .split(";")
    .map((fact) => fact.replace("*", "").trim())
    .filter((fact) => fact !== "" && FACTS_WANTED.includes(`${fact.toLowerCase()};`))
    .map((fact) => `${fact};`)
    .join("");
}

async function readSystem(ask: (line: string) => Promise<FtpReply>): Promise<string> {
  const reply = await ask("SYST");
  return reply.code === 215 ? (reply.lines[0] ?? "") : "";
}

/** The folder after login; "/" where the server does not say. */
async function readHome(ask: (line: string) => Promise<FtpReply>, link: ControlLink): Promise<string> {
  const reply = await ask("PWD");
  const text: ByteString = link.names.encode(reply.lines.join(" "));
  const path = reply.code === 257 ? unquotePath(text) : undefined;
  return path === undefined || path === "" ? "/" : link.names.decode(path);
}
