/**
 * What is said to a proxy so that it connects us to a host: CONNECT of HTTP (RFC 9110 §9.3.6), SOCKS 5 (RFC 1928, RFC 1929)
 * and SOCKS 4a. Once `openTunnel` is done, the socket carries the host's octets; those that came with the proxy's answer
 * are in it again.
 */
import { type Socket, isIPv4, isIPv6 } from "node:net";
import { type Endpoint, showEndpoint } from "../net/addresses.ts";
import { FtpError, printable } from "./errors.ts";
import type { Proxy } from "./proxy.ts";

/** Octets of the head of a proxy's answer: what HTTP servers commonly take; a page behind it is not read. */
const HEAD_MOST = 16_384;
/** Octets of a SOCKS answer: a name of 255 with its length, the port, and 4 before them. */
const SOCKS_MOST = 262;
/** Heads of 1xx before the answer itself. */
const INTERIM_MOST = 8;
/** Octets of a host name in a SOCKS request: one octet holds its length. */
const NAME_MOST = 255;
/** Characters of the proxy's own words in a message. */
const WORDS_MOST = 160;

export type TunnelTerms = {
  readonly proxy: Proxy;
  /** `address` is a name where the proxy resolves it. */
  readonly target: Endpoint;
};

const CLOSED_EARLY = "it closed the connection before it had answered";

/** A proxy's refusal that another address of the same host may not meet. */
export class TunnelRefused extends FtpError {}

/**
 * @param socket connected to the proxy, for "https" inside TLS. Nobody else may read from it. Its end ends the wait.
 * @throws {FtpError} the socket is to be destroyed then.
 */
export async function openTunnel(socket: Socket, terms: TunnelTerms): Promise<void> {
  const { kind } = terms.proxy;
  if (kind === "http" || kind === "https") return askConnect(socket, terms);
  if (kind === "socks4a") return askSocks4(socket, terms);
  return askSocks5(socket, terms);
}

async function askConnect(socket: Socket, { proxy, target }: TunnelTerms): Promise<void> {
  const where = showEndpoint(target);
  const login =
    proxy.user === undefined
      ? ""
      : `Proxy-Authorization: Basic ${Buffer.from(`${proxy.user}:${proxy.password ?? ""}`).toString("base64")}\r\n`;
  socket.write(`CONNECT ${where} HTTP/1.1\r\nHost: ${where}\r\n${login}\r\n`);
  for (let heads = 0; heads <= INTERIM_MOST; heads += 1) {
    const head = (await readAnswer(socket, { proxy, most: HEAD_MOST, lengthOf: headLength })).toString("latin1");
    const [, digits, reason = ""] = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?\r?\n/.exec(head) ?? [];
    if (digits === undefined) throw strange(proxy, `it answers with "${words(head)}", which is not HTTP`);
    const status = Number(digits);
    if (status >= 200 && status < 300) return;
    if (status >= 200) throw refusedConnect({ proxy, target }, { status, reason });
  }
  throw strange(proxy, "it does not come to an answer");
}

function headLength(octets: Buffer): number | undefined {
  const end = /\r?\n\r?\n/.exec(octets.toString("latin1"));
  return end === null ? undefined : end.index + end[0].length;
}

function refusedConnect(
  { proxy, target }: TunnelTerms,
  { status, reason }: { status: number; reason: string },
): FtpError {
  const said = `${status} ${words(reason)}`.trim();
  if (status === 407) return loginRefused(proxy, said);
  const hint =
    status === 403 || status === 405
      ? "Many HTTP proxies let CONNECT through to port 443 alone; ask its administrator for port 21 and the passive ports, or use a SOCKS proxy."
      : undefined;
  const message = `the proxy ${proxy.shown} does not connect to ${showEndpoint(target)}: ${said}`;
  return new TunnelRefused("UNREACHABLE", message, { phase: "connect", hint, retryable: status >= 500 });
}

function loginRefused(proxy: Proxy, said: string): FtpError {
  const what = proxy.user === undefined ? "wants a login" : `refuses the login of "${printable(proxy.user)}"`;
  const hint =
    proxy.user === undefined
      ? `Write the login into the proxy's URL: ${proxy.shown.replace("://", "://user:password@")}`
      : "Look at the user and the password in the proxy's URL; special characters there are written as %XX.";
  return new FtpError("AUTH", `the proxy ${proxy.shown} ${what}: ${said}`, { phase: "connect", hint });
}

/** Methods of RFC 1928 §3. */
const METHOD = { none: 0x00, login: 0x02, noneFits: 0xff } as const;
/** Kinds of address of RFC 1928 §5. */
const KIND = { ipv4: 1, name: 3, ipv6: 4 } as const;
/** RFC 1928 §6. The last: whether the same may work later. */
const SOCKS5_REPLIES: Readonly<Record<number, readonly [string, boolean]>> = {
  1: ["a general failure of the proxy", true],
  2: ["its rules do not allow it", false],
  3: ["it cannot reach that network", true],
  4: ["it cannot reach that host", true],
  5: ["the host refused the connection", true],
  6: ["the host did not answer in time", true],
  7: ["it does not know CONNECT", false],
  8: ["it does not know that kind of address", false],
};

async function askSocks5(socket: Socket, { proxy, target }: TunnelTerms): Promise<void> {
  const methods = proxy.user === undefined ? [METHOD.none] : [METHOD.none, METHOD.login];
  socket.write(Buffer.of(5, methods.length, ...methods));
  const choice = await readAnswer(socket, { proxy, most: 2, lengthOf: (octets) => lengthFrom(octets, 2) });
  if (choice[0] !== 5) throw strange(proxy, "it does not speak SOCKS 5");
  if (choice[1] === METHOD.noneFits) throw loginRefused(proxy, "no way to sign in fits (SOCKS 5, 0xFF)");
  if (choice[1] === METHOD.login && proxy.user !== undefined) await signIn(socket, proxy);
  else if (choice[1] !== METHOD.none) throw strange(proxy, "it chose a way to sign in that was not offered");
  socket.write(Buffer.concat([Buffer.of(5, 1, 0), addressOctets(target), portOctets(target.port)]));
  const answer = await readAnswer(socket, { proxy, most: SOCKS_MOST, lengthOf: socks5Length });
  const code = answer[1] ?? 0;
  if (answer[0] !== 5) throw strange(proxy, "its answer is not one of SOCKS 5");
  if (code !== 0) throw refusedSocks({ proxy, target }, SOCKS5_REPLIES[code] ?? [`reply code ${code}`, false]);
}

/** RFC 1929 §2. */
async function signIn(socket: Socket, proxy: Proxy): Promise<void> {
  const [user, password] = [Buffer.from(proxy.user ?? ""), Buffer.from(proxy.password ?? "")];
  socket.write(Buffer.concat([Buffer.of(1, user.length), user, Buffer.of(password.length), password]));
  const answer = await readAnswer(socket, { proxy, most: 2, lengthOf: (octets) => lengthFrom(octets, 2) });
  if (answer[1] !== 0) throw loginRefused(proxy, `status ${answer[1]} (RFC 1929)`);
}

function addressOctets({ address }: Endpoint): Buffer {
  if (isIPv4(address)) return Buffer.of(KIND.ipv4, ...address.split(".").map(Number));
  if (isIPv6(address)) return Buffer.of(KIND.ipv6, ...ipv6Octets(address));
  const name = Buffer.from(address);
  if (name.length > NAME_MOST) {
    throw new FtpError("USAGE", `a host name of ${name.length} octets is too long for SOCKS 5`, { phase: "connect" });
  }
  return Buffer.concat([Buffer.of(KIND.name, name.length), name]);
}

/** The URL parser puts every spelling into groups of hexadecimal digits with one `::` at most. A zone means nothing there. */
function ipv6Octets(address: string): readonly number[] {
  const plain = new URL(`http://[${address.replace(/%.*$/s, "")}]`).hostname.slice(1, -1);
  const [left = "", right] = plain.split("::");
  const before = left.split(":").filter((group) => group !== "");
  const after = (right ?? "").split(":").filter((group) => group !== "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function portOctets(port: number): Buffer {
  return Buffer.of(port >> 8, port & 0xff);
}

/** RFC 1928 §6: the bound address has the length of its kind. A refusal may end after its code. */
function socks5Length(octets: Buffer): number | undefined {
  const [version, , , kind, first] = octets;
  if (version !== undefined && version !== 5) return octets.length;
  if (kind === undefined) return undefined;
  if (kind === KIND.ipv4) return lengthFrom(octets, 10);
  if (kind === KIND.ipv6) return lengthFrom(octets, 22);
  if (kind !== KIND.name) return octets.length;
  return first === undefined ? undefined : lengthFrom(octets, 7 + first);
}

/** SOCKS 4 with a name behind the address 0.0.0.1, which the proxy resolves. Ours to send: a user without a password. */
async function askSocks4(socket: Socket, { proxy, target }: TunnelTerms): Promise<void> {
  if (isIPv6(target.address)) {
    throw new TunnelRefused(
      "UNREACHABLE",
      `the proxy ${proxy.shown} cannot connect to IPv6: SOCKS 4 has no room for it`,
      {
        phase: "connect",
        hint: "Use socks5:// if the proxy speaks it.",
        retryable: false,
      },
    );
  }
  const isName = !isIPv4(target.address);
  const address = isName ? [0, 0, 0, 1] : target.address.split(".").map(Number);
  const text = `${proxy.user ?? ""}\0${isName ? `${target.address}\0` : ""}`;
  socket.write(Buffer.concat([Buffer.of(4, 1), portOctets(target.port), Buffer.of(...address), Buffer.from(text)]));
  const answer = await readAnswer(socket, { proxy, most: 8, lengthOf: (octets) => lengthFrom(octets, 8) });
  if (answer[0] !== 0) throw strange(proxy, "its answer is not one of SOCKS 4");
  if (answer[1] === 92 || answer[1] === 93) throw loginRefused(proxy, `code ${answer[1]} (SOCKS 4 asks identd)`);
  if (answer[1] !== 90) throw refusedSocks({ proxy, target }, ["refused or failed (SOCKS 4 says no more)", true]);
}

function refusedSocks({ proxy, target }: TunnelTerms, [why, retryable]: readonly [string, boolean]): FtpError {
  const message = `the proxy ${proxy.shown} does not connect to ${showEndpoint(target)}: ${why}`;
  return new TunnelRefused("UNREACHABLE", message, { phase: "connect", retryable });
}

function lengthFrom(octets: Buffer, length: number): number | undefined {
  return octets.length < length ? undefined : length;
}

type AnswerTerms = {
  readonly proxy: Proxy;
  /** Octets that the answer may have. */
  readonly most: number;
  /** Of the answer at the front of the octets; undefined while it is not whole. */
  readonly lengthOf: (octets: Buffer) => number | undefined;
};

/** The next answer; what came behind it is in the socket again, which is paused. */
function readAnswer(socket: Socket, { proxy, most, lengthOf }: AnswerTerms): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(strange(proxy, CLOSED_EARLY));
    let octets = Buffer.alloc(0);
    const settle = (act: () => void): void => {
      socket.pause();
      socket.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onError);
      act();
    };
    const onData = (chunk: Buffer): void => {
      octets = Buffer.concat([octets, chunk]);
      const length = lengthOf(octets.subarray(0, most));
      if (length === undefined && octets.length < most) return;
      settle(() => {
        if (length === undefined) return reject(strange(proxy, `its answer is longer than ${most} octets`));
        if (length < octets.length) socket.unshift(octets.subarray(length));
        resolve(octets.subarray(0, length));
      });
    };
    const onEnd = (): void => {
      settle(() => reject(strange(proxy, CLOSED_EARLY)));
    };
    const onError = (error: Error): void => {
      settle(() => reject(strange(proxy, `the connection broke (${printable(error.message)})`, error)));
    };
    socket.on("data", onData).on("end", onEnd).on("close", onEnd).on("error", onError);
    socket.resume();
  });
}

function strange(proxy: Proxy, what: string, cause?: Error): FtpError {
  const hint = `Is it a proxy of the kind that ${proxy.shown} says?`;
  return new FtpError("UNREACHABLE", `the proxy ${proxy.shown}: ${what}`, { phase: "connect", hint, cause });
}

function words(text: string): string {
  return printable(text.slice(0, WORDS_MOST).trim());
}
