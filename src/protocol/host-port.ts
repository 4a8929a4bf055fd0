/**
 * Addresses of data connections as FTP writes them: PORT and 227 (RFC 959 §4.1.2), EPRT and 229 (RFC 2428). Parsers of
 * what clients send are strict, as odd spellings get past address checks (attack 3); what servers send is searched for.
 */
import { isIPv4, isIPv6 } from "node:net";

export type HostPort = {
  readonly family: "IPv4" | "IPv6";
  /** Without zone. A v4-mapped IPv6 address stays as it was written: whether to use it is the caller's rule. */
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
};

const HIGHEST_PORT = 65_535;

/** @param argument of PORT: six numbers of 0 to 255 without signs, spaces and leading zeros. */
export function parsePort(argument: string): HostPort | undefined {
  return /^(?:0|[1-9]\d{0,2})(?:,(?:0|[1-9]\d{0,2})){5}$/.test(argument) ? hostPortOf(argument) : undefined;
}

/** `192,0,2,1,4,210` for 192.0.2.1 and port 1234. @param hostPort of family IPv4. */
export function formatPort({ address, port }: HostPort): string {
  return [...address.split("."), port >> 8, port & 0xff].join();
}

/** The six numbers of RFC 959's host-port. @returns undefined for one above 255, and for port 0. */
function hostPortOf(sixNumbers: string): HostPort | undefined {
  const numbers = sixNumbers.split(",").map(Number);
  const [high = 0, low = 0] = numbers.slice(4);
  const port = high * 256 + low;
  if (port === 0 || numbers.some((number) => number > 255)) return undefined;
  return { family: "IPv4", address: numbers.slice(0, 4).join("."), port };
}

export type EprtArgument =
  | { readonly kind: "address"; readonly hostPort: HostPort }
  /** Well-formed, of a network protocol that is neither IPv4 nor IPv6: the reply is 522 (RFC 2428 §2). */
  | { readonly kind: "other-family" };

/** @param argument of EPRT: `|1|192.0.2.1|1234|`, `|2|2001:db8::1|1234|`, with any ASCII delimiter of 33 to 126 (RFC 2428 §2). */
export function parseEprt(argument: string): EprtArgument | undefined {
  const delimiter = argument.charAt(0);
  if (!/^[!-~]$/.test(delimiter)) return undefined;
  const [, protocol = "", address = "", portText = "", rest, ...more] = argument.split(delimiter);
  if (rest !== "" || more.length > 0 || !/^[1-9]\d{0,4}$/.test(protocol)) return undefined;
  if (protocol !== "1" && protocol !== "2") return { kind: "other-family" };
  const family = protocol === "1" ? "IPv4" : "IPv6";
  const valid = family === "IPv4" ? isIPv4(address) : isIPv6(address) && !address.includes("%");
  const port = portOf(portText);
  return valid && port !== undefined ? { kind: "address", hostPort: { family, address, port } } : undefined;
}

export function formatEprt({ family, address, port }: HostPort): string {
  return `|${family === "IPv4" ? 1 : 2}|${address}|${port}|`;
}

function portOf(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= HIGHEST_PORT ? port : undefined;
}

/** The text of a 227. Clients look for the parentheses (RFC 1123 §4.1.2.6 had to tell them not to). */
export function format227(hostPort: HostPort): string {
  return `Entering Passive Mode (${formatPort(hostPort)}).`;
}

/** The address in the text of a 227: its first six numbers with commas between, wherever they stand (RFC 1123 §4.1.2.6). */
export function parse227(text: string): HostPort | undefined {
  const [numbers] = /(?<!\d)\d{1,3}(?:,\d{1,3}){5}(?!\d)/.exec(text) ?? [];
  return numbers === undefined ? undefined : hostPortOf(numbers);
}

/** The text of a 229 (RFC 2428 §3): the port alone, as the address is that of the control connection. */
export function format229(port: number): string {
  return `Entering Extended Passive Mode (|||${port}|)`;
}

/** The port in the text of a 229, with any delimiter that is no digit. */
export function parse229(text: string): number | undefined {
  const [, , port = ""] = /([!-/:-~])\1\1(\d{1,5})\1/.exec(text) ?? [];
  return portOf(port);
}
