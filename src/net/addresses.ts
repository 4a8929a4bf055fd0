/** Addresses as sockets report them, made comparable: one spelling for each host. */
import { BlockList, isIPv4, isIPv6 } from "node:net";

export type Endpoint = { readonly address: string; readonly port: number };
export type Family = "IPv4" | "IPv6";

/** `::ffff:192.0.2.1`, as a dual-stack listener reports an IPv4 peer, becomes `192.0.2.1`; others stay as they are. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}

export function familyOf(address: string): Family {
  return isIPv4(address) ? "IPv4" : "IPv6";
}

/** Whether two spellings name one address. False for anything that is no address, and for another zone. */
export function sameAddress(one: string, other: string): boolean {
  if (one === other) return true;
  if (!isIPv6(one) || !isIPv6(other)) return false;
  const [left = "", leftZone = ""] = one.toLowerCase().split("%");
  const [right = "", rightZone = ""] = other.toLowerCase().split("%");
  // A zone says on which link a link-local address lives; a client does not know ours, so only two that differ tell apart.
  if (leftZone !== "" && rightZone !== "" && leftZone !== rightZone) return false;
  const list = new BlockList();
  list.addAddress(left, "ipv6");
  return list.check(right, "ipv6");
}

/** For replies and logs: `192.0.2.1:21`, `[2001:db8::1]:21`. */
export function showEndpoint({ address, port }: Endpoint): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
