/** The proxy that the environment names, as programs have agreed without a standard: `ftp_proxy`, `all_proxy`, `no_proxy`. */
import { BlockList, isIP } from "node:net";
import { sameAddress } from "../net/addresses.ts";

/** In this order; the first that is not empty counts. */
const PROXY_NAMES = ["ftp_proxy", "FTP_PROXY", "all_proxy", "ALL_PROXY"] as const;
const EXCEPTION_NAMES = ["no_proxy", "NO_PROXY"] as const;
/** Entries of no_proxy that are looked at: the longest lists of real companies have some hundred. */
const EXCEPTIONS_MOST = 1_000;

export type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the proxy's URL as it stands there, for `parseProxy`; undefined for none, or where no_proxy names the host. */
export function proxyFromEnvironment(
  host: string,
  { env, port }: { readonly env: Environment; readonly port?: number | undefined },
): string | undefined {
  const proxy = firstOf(PROXY_NAMES, env);
  if (proxy === undefined) return undefined;
  const exceptions = (firstOf(EXCEPTION_NAMES, env) ?? "").split(/[\s,]+/, EXCEPTIONS_MOST);
  return exceptions.some((entry) => entry !== "" && covers(entry, { host, port })) ? undefined : proxy;
}

function firstOf(names: readonly string[], env: Environment): string | undefined {
  return names.map((name) => env[name]?.trim()).find((value) => value !== undefined && value !== "");
}

/**
 * `*` is every host; `example.org` and `.example.org` the name and what is below it; an address itself; a network in CIDR
 * form the addresses in it. `:port` behind a name or a bracketed address limits the entry to that port.
 */
function covers(entry: string, { host, port }: { host: string; port: number | undefined }): boolean {
  if (entry === "*") return true;
  if (isIP(entry) !== 0) return sameAddress(entry, host);
  if (entry.includes("/")) return isInNetwork(host, entry);
  const [, inside, name = "", digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  if (digits !== undefined && port !== undefined && Number(digits) !== port) return false;
  if (inside !== undefined) return sameAddress(inside, host);
  const plain = bare(name.replace(/^\*?\./, ""));
  const wanted = bare(host);
  return plain !== "" && (wanted === plain || (isIP(host) === 0 && wanted.endsWith(`.${plain}`)));
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** A host that is a name is in no network: it is the proxy that resolves it. */
function isInNetwork(host: string, entry: string): boolean {
  const [network = "", digits = ""] = entry.split("/");
  const family = isIP(network);
  const bits = /^\d{1,3}$/.test(digits) ? Number(digits) : -1;
  if (family === 0 || isIP(host) !== family || bits < 0 || bits > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network.replace(/%.*$/, ""), bits, kind);
  return list.check(host.replace(/%.*$/, ""), kind);
}
