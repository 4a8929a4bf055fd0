/**
 * Addresses and networks as an administrator writes them, read strictly: what is not quite a network is refused with the
 * right form, because a wrong one that is taken all the same opens the gate (attack 40) or shuts it for strangers.
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";

/** One host. An IPv4 address that is mapped into IPv6 (RFC 4291 §2.5.5.2) is the IPv4 address. */
export type Address = { readonly family: "ipv4" | "ipv6"; readonly value: bigint };
/** All addresses with the same first `prefix` bits; the other bits of `value` are 0. */
export type Network = Address & { readonly prefix: number };
export type NetworkReading =
  | { readonly ok: true; readonly network: Network }
  | { readonly ok: false; readonly problem: string };

const WIDTH = { ipv4: 32, ipv6: 128 } as const;
/** The 96 bits before an IPv4 address that is mapped into IPv6. */
const MAPPED = 0xffffn;
const MAPPED_BITS = 96;

/** @returns undefined for what is no address: no octal, no short forms. The zone of a link-local address is left out. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: "ipv4", value: valueOfIPv4(text) };
  if (!isIPv6(text)) return undefined;
  const [plain = ""] = text.split("%");
  const value = valueOfIPv6(plain);
  return value >> 32n === MAPPED ? { family: "ipv4", value: value & 0xffffffffn } : { family: "ipv6", value };
}

/** In RFC 5952's form: one spelling for each host. */
export function formatAddress({ family, value }: Address): string {
  if (family === "ipv4") return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  const [start, length] = longestZeros(groups);
  // RFC 5952 §4.2.2: a single group of zeros is not shortened.
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. The problem of anything else says what to write instead. */
export function parseNetwork(text: string): NetworkReading {
  const [host = "", length, ...more] = text.split("/");
  if (host.includes("%")) return wrong(`"${shown(text)}": leave out the zone (%…)`);
  const address = parseAddress(host);
  if (address === undefined || more.length > 0) {
    return wrong(`"${shown(text)}" is no address and no network; write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32`);
  }
  if (length === undefined) return { ok: true, network: { ...address, prefix: WIDTH[address.family] } };
  const prefix = prefixOf(length, { host, address });
  if (prefix === undefined) {
    return wrong(`"${shown(text)}": after the slash belongs a number from 0 to ${isIPv4(host) ? 32 : 128}`);
  }
  const network = networkOf(address, prefix);
  if (network.value === address.value) return { ok: true, network };
  return wrong(
    `"${shown(text)}" has bits of a host behind its prefix; write ${formatNetwork(network)}, or ${host} for that host alone`,
  );
}

/** The network of `prefix` bits around an address. */
export function networkOf({ family, value }: Address, prefix: number): Network {
  const hostBits = BigInt(WIDTH[family] - prefix);
  return { family, value: (value >> hostBits) << hostBits, prefix };
}

/** `192.0.2.0/24`; the plain address for a network of one. */
export function formatNetwork(network: Network): string {
  const address = formatAddress(network);
  return network.prefix === WIDTH[network.family] ? address : `${address}/${network.prefix}`;
}

/** Whether all of `inner` (an address is a network of one) lies in `outer`. */
export function covers(outer: Network, inner: Address & { readonly prefix?: number }): boolean {
  if (outer.family !== inner.family || (inner.prefix ?? WIDTH[inner.family]) < outer.prefix) return false;
  return networkOf(inner, outer.prefix).value === outer.value;
}

/** A fixed set of networks. */
export class NetworkList {
  /** One for each family: `::/0` of a BlockList would hold IPv4 addresses too. */
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() } as const;

  /** A check costs some 5 µs, and most lists are empty. */
  readonly #isEmpty: boolean;

  constructor(networks: readonly Network[]) {
    this.#isEmpty = networks.length === 0;
    for (const network of networks) {
      this.#lists[network.family].addSubnet(formatAddress(network), network.prefix, network.family);
    }
  }

  has(address: Address): boolean {
    return !this.#isEmpty && this.#lists[address.family].check(formatAddress(address), address.family);
  }
}

/** Octets of the longest text that a message repeats. */
const LONGEST_SHOWN = 80;

/** What somebody wrote, for a message: control characters and the rest of a long text are left out. */
export function shown(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return clean.length > LONGEST_SHOWN ? `${clean.slice(0, LONGEST_SHOWN)}…` : clean;
}

function prefixOf(text: string, { host, address }: { host: string; address: Address }): number | undefined {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  const mapped = address.family === "ipv4" && !isIPv4(host);
  const prefix = Number(text) - (mapped ? MAPPED_BITS : 0);
  return prefix >= 0 && prefix <= WIDTH[address.family] ? prefix : undefined;
}

function valueOfIPv4(text: string): bigint {
  return text.split(".").reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

/** @param text what isIPv6 takes, without a zone. */
function valueOfIPv6(text: string): bigint {
  const tail = /[^:]*\.[^:]*$/.exec(text)?.[0];
  const last = tail === undefined ? 0n : valueOfIPv4(tail);
  const groups = tail === undefined ? text : `${text.slice(0, -tail.length)}${hex(last >> 16n)}:${hex(last & 0xffffn)}`;
  const [left = "", right] = groups.split("::");
  const before = left === "" ? [] : left.split(":");
  const after = right === undefined || right === "" ? [] : right.split(":");
  const zeros = right === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array<string>(zeros).fill("0"), ...after];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

function hex(value: bigint): string {
  return value.toString(16);
}

/** Start and length of the longest run of zero groups; the first of equal ones (RFC 5952 §4.2.3). */
function longestZeros(groups: readonly string[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best[1]) best = [start, length];
    start += length;
  }
  return best;
}

function wrong(problem: string): NetworkReading {
  return { ok: false, problem };
}
