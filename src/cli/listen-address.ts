/** Where to listen, as people write it. */
import { TLS_LEVELS, type TlsLevel } from "../server/tls-options.ts";
import { serveAgain } from "./program.ts";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { CliError, EXIT } from "./exit.ts";

export type ListenAddress = {
  readonly host: string;
  readonly port: number;
  /** FTPS from the first octet on: `ftps://HOST:PORT`. */
  readonly implicit: boolean;
  /** `?tls=LEVEL`: overrides the option `tls`. */
  readonly tls?: TlsLevel;
};
export type BoundAddress = { readonly address: string; readonly port: number };
export type WantedAddress = BoundAddress & Pick<ListenAddress, "implicit" | "tls">;

const FORMS =
  "Write HOST:PORT, for example 127.0.0.1:2121, [::1]:2121, 0.0.0.0:2121 or [::]:2121 for every address; " +
  "ftps://HOST:PORT for TLS from the start; HOST:PORT?tls=require for another TLS level than the others";

/** @throws {CliError} for what is no address, and for what only later releases can do. */
export function parseListenAddress(text: string): ListenAddress {
  const [, scheme, six, name, digits, wanted] =
    /^(?:(ftps?):\/\/)?(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})\/?(?:\?tls=([a-z-]+))?$/i.exec(text) ?? [];
  const tls = TLS_LEVELS.find((level) => level === wanted);
  const host = six ?? name ?? "";
  const port = Number(digits ?? "");
  const isRight = six === undefined ? isPlausible(host) : isIP(six) === 6;
  if (digits === undefined || !isRight || port > 65_535) throw new CliError(`--listen ${text}: ${FORMS}`, EXIT.usage);
  const implicit = scheme?.toLowerCase() === "ftps";
  checkLevel(text, { wanted, tls, implicit });
  return { host, port, implicit, ...(tls === undefined ? {} : { tls }) };
}

type Levels = { readonly wanted: string | undefined; readonly tls: TlsLevel | undefined; readonly implicit: boolean };

function checkLevel(text: string, { wanted, tls, implicit }: Levels): void {
  if (wanted !== undefined && tls === undefined) {
    throw new CliError(`--listen ${text}: ?tls= takes ${TLS_LEVELS.join(", ")}`, EXIT.usage);
  }
  if (implicit && tls === "off")
    throw new CliError(`--listen ${text}: ftps:// is TLS, so tls=off cannot be`, EXIT.usage);
}

/** "300.1.1.1" and "10.0.0" are misspelt addresses and not host names. */
function isPlausible(host: string): boolean {
  return /^[\w.-]+$/.test(host) && (isIP(host) === 4 || !/^[\d.]+$/.test(host));
}

/** Every address of every host; a name may stand for several. @throws {CliError} for a name that has none. */
export async function resolveAddresses(wanted: readonly ListenAddress[]): Promise<readonly WantedAddress[]> {
  const found: WantedAddress[] = [];
  for (const { host, ...rest } of wanted) {
    if (isIP(host) !== 0) found.push({ address: host, ...rest });
    else for (const { address } of await addressesOf(host)) found.push({ address, ...rest });
  }
  return found;
}

async function addressesOf(host: string): Promise<readonly { readonly address: string }[]> {
  try {
    const all = await lookup(host, { all: true, order: "ipv4first" });
    // /etc/hosts may name one address on two lines.
    return all.filter(({ address }, index) => all.findIndex((other) => other.address === address) === index);
  } catch {
    throw new CliError(`--listen ${host}: no address is known for that name. ${FORMS}`, EXIT.configuration);
  }
}

/** Whether this machine has the address at all: containers often lack ::1. */
export function hasAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((each) => each.address === address));
}

/** HOST:PORT as it stands in a URL. */
export function hostPort({ address, port }: BoundAddress): string {
  return `${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
}

/** What went wrong at listening, in words that say what to do. */
export function listenError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || !("port" in error)) return error;
  const port = Number(error.port);
  const address = "address" in error ? String(error.address) : "";
  const at = hostPort({ address, port });
  switch (error.code) {
    case "EADDRINUSE":
      return new CliError(
        `${at} is taken by another program.\n` +
          `  Which one:      ss -ltnp 'sport = :${port}'\n` +
          `  Another port:   ${serveAgain({ listen: hostPort({ address, port: port < 65_535 ? port + 1 : 2121 }) })}`,
        EXIT.failed,
      );
    case "EACCES":
      return new CliError(
        `No right to listen on ${at}: ports below 1024 need a privilege.\n` +
          `  A higher port:  ${serveAgain({ listen: hostPort({ address, port: 2121 }) })}\n` +
          `  Or allow Node:  sudo setcap cap_net_bind_service=+ep ${process.execPath}`,
        EXIT.refused,
      );
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
      return new CliError(`${address} is no address of this machine. Its own: ip -brief address`, EXIT.configuration);
    default:
      return error;
  }
}

export function isLoopback({ address }: BoundAddress): boolean {
  return address === "::1" || address.startsWith("127.");
}
