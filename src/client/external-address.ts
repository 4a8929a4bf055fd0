/** Our address as the server sees it: many say it in the text of STAT. For active mode behind a NAT (row D7). */
import { BlockList, isIPv4 } from "node:net";
import { plainAddress } from "../net/addresses.ts";
import type { FtpSession } from "./session.ts";

/** Addresses that no server outside can connect to (RFC 1918, RFC 6598, RFC 3927, RFC 1122). */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
  ["127.0.0.0", 8],
  ["0.0.0.0", 8],
] as const) {
  PRIVATE.addSubnet(network, bits);
}

export function isPrivateAddress(address: string): boolean {
  return isIPv4(address) && PRIVATE.check(address);
}

/**
 * Asked only where we have a private address and the server a public one.
 * @returns the one public address in its STAT that is not the server's; undefined if there is none, or more.
 */
export async function externalAddress(session: FtpSession): Promise<string | undefined> {
  const server = session.info.address;
  const local = plainAddress(session.link.socket.localAddress ?? "");
  if (!isPrivateAddress(local) || isPrivateAddress(server)) return undefined;
  const reply = await session.ask("STAT");
  if (reply.code >= 300) return undefined;
  const found = reply.lines.join("\n").match(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g) ?? [];
  const ours = new Set(found.filter((address) => isIPv4(address) && !isPrivateAddress(address) && address !== server));
  const [only] = ours;
  return ours.size === 1 ? only : undefined;
}
