/** struct sockaddr_in and sockaddr_in6 of Linux, equal on x64 and arm64 (man 7 ip, man 7 ipv6). */

/** Another end or an own address, as the kernel writes it. */
export type SocketAddress = { readonly address: string; readonly port: number };

/** Octets of the larger one. */
export const ADDRESS_SPACE = 28;
const AF_INET = 2;
export const AF_INET6 = 10;

/** @param address IPv4, or IPv6 without a zone. @returns the structure's size. */
export function writeAddress(into: Buffer, address: string, port: number): number {
  into.fill(0);
  into.writeUInt16BE(port, 2);
  if (!address.includes(":")) {
    into.writeUInt16LE(AF_INET, 0);
    for (const [at, part] of address.split(".").entries()) into[4 + at] = Number(part);
    return 16;
  }
  into.writeUInt16LE(AF_INET6, 0);
  const [front = "", back] = address.split("::");
  const [first, last] = [groupsOf(front), back === undefined ? [] : groupsOf(back)];
  for (const [at, group] of first.entries()) into.writeUInt16BE(group, 8 + at * 2);
  for (const [at, group] of last.entries()) into.writeUInt16BE(group, 8 + (8 - last.length + at) * 2);
  return 28;
}

/** The 16-bit groups of one side of `::`; the last may be an IPv4 address. */
function groupsOf(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

export function readAddress(from: Buffer): SocketAddress {
  const port = from.readUInt16BE(2);
  if (from.readUInt16LE(0) === AF_INET) return { address: `${from[4]}.${from[5]}.${from[6]}.${from[7]}`, port };
  const groups: string[] = [];
  for (let at = 8; at < 24; at += 2) groups.push(from.readUInt16BE(at).toString(16));
  return { address: shortest(groups), port };
}

/** The first longest run of zeros as `::` (RFC 5952 §4.2). */
function shortest(groups: readonly string[]): string {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === "0") length += 1;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return groups.join(":");
  return `${groups.slice(0, best.at).join(":")}::${groups.slice(best.at + best.length).join(":")}`;
}
