/** Where to listen, as people write it. */
import { serveAgain } from "./program.ts";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { CliError, EXIT } from "./exit.ts";

export type ListenAddress = { readonly host: string; readonly port: number };
export type BoundAddress = { readonly address: string; readonly port: number };

const FORMS = "Write HOST:PORT, for example 127.0.0.1:2121, [::1]:2121, 0.0.0.0:2121 or [::]:2121 for every address";

/** @throws {CliError} for what is no address, and for what only later releases can do. */
export function parseListenAddress(text: string): ListenAddress {
  if (/^ftps:\/\//i.test(text)) {
    throw new CliError(`--listen ${text}: FTPS comes with the TLS release; until then only HOST:PORT`, EXIT.usage);
  }
  const [, six, name, digits] = /^(?:ftp:\/\/)?(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})\/?$/i.exec(text) ?? [];
  const host = six ?? name ?? "";
  const port = Number(digits ?? "");
  const isRight = six === undefined ? /^[\w.-]+$/.test(host) && isPlausible(host) : isIP(six) === 6;
  if (digits === undefined || !isRight || port > 65_535) throw new CliError(`--listen ${text}: ${FORMS}`, EXIT.usage);
  return { host, port };
}

/** "300.1.1.1" and "10.0.0" are misspelt addresses and not host names. */
function isPlausible(host: string): boolean {
  return isIP(host) === 4 || !/^[\d.]+$/.test(host);
}

/** Every address of every host; a name may stand for several. @throws {CliError} for a name that has none. */
export async function resolveAddresses(wanted: readonly ListenAddress[]): Promise<readonly BoundAddress[]> {
  const found: BoundAddress[] = [];
  for (const { host, port } of wanted) {
    if (isIP(host) !== 0) found.push({ address: host, port });
    else for (const { address } of await addressesOf(host)) found.push({ address, port });
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
