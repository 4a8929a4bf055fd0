/**
 * What a router is asked for a port of its own that leads to one of ours: PCP MAP (RFC 6887 §11) and NAT-PMP (RFC 6886 §3),
 * which older ones speak. Both use UDP port 5351.
 */
import { isIPv6 } from "node:net";

/** The port on which a router listens (RFC 6887 §19.1, RFC 6886 §3.1). */
export const MAPPING_PORT = 5351;
/** Octets of the random number by which an answer is told from a forged one (RFC 6887 §11.1). */
export const NONCE_OCTETS = 12;

const [PCP, NAT_PMP] = [2, 0];
const [HEADER, MAP_END] = [24, 60];
const [OP_MAP, OP_ADDRESS, OP_MAP_TCP] = [1, 0, 2];
const RESPONSE = 0x80;
const TCP = 6;
/** The version is not known: by PCP and by NAT-PMP the same number (RFC 6887 §7.4, RFC 6886 §3.5). */
const UNSUPPORTED_VERSION = 1;

export type MapQuestion = {
  /** Ours, which the router sees as the datagram's source too. */
  readonly address: string;
  readonly port: number;
  /** Of the router, if it likes; 0: any. */
  readonly suggestedPort: number;
  /** Seconds; 0 takes the mapping away (RFC 6887 §15, RFC 6886 §3.4). */
  readonly lifetime: number;
};

/** `lifetime` in seconds. */
export type MapAnswer =
  | { readonly kind: "mapped"; readonly port: number; readonly address: string; readonly lifetime: number }
  | { readonly kind: "refused"; readonly why: string }
  /** It speaks another version. */
  | { readonly kind: "older" };

/** One MAP request (RFC 6887 §7.1, §11.1). @param nonce the same for each renewal, and for the end. */
export function formatPcpMap({ address, port, suggestedPort, lifetime }: MapQuestion, nonce: Buffer): Buffer {
  const line = Buffer.alloc(MAP_END);
  line[0] = PCP;
  line[1] = OP_MAP;
  line.writeUInt32BE(lifetime, 4);
  wideOf(address).copy(line, 8);
  nonce.copy(line, HEADER, 0, NONCE_OCTETS);
  line[36] = TCP;
  line.writeUInt16BE(port, 40);
  line.writeUInt16BE(suggestedPort, 42);
  // Which external address is the router's choice: all zeros of our family (RFC 6887 §11.1).
  if (!isIPv6(address)) line.fill(0xff, 54, 56);
  return line;
}

/** @returns undefined for what answers another question: it is passed over (RFC 6887 §8.3). */
export function parsePcpMap(line: Buffer, { port }: MapQuestion, nonce: Buffer): MapAnswer | undefined {
  // What knows NAT-PMP alone says so in its own version (RFC 6887 §9).
  if (line.length >= 8 && line[0] === NAT_PMP && line.readUInt16BE(2) === UNSUPPORTED_VERSION) return { kind: "older" };
  if (line.length < HEADER || line[0] !== PCP || line[1] !== (RESPONSE | OP_MAP)) return undefined;
  const result = line.readUInt8(3);
  if (result === UNSUPPORTED_VERSION) return { kind: "older" };
  if (line.length < MAP_END || !line.subarray(HEADER, HEADER + NONCE_OCTETS).equals(nonce)) return undefined;
  if (line[36] !== TCP || line.readUInt16BE(40) !== port) return undefined;
  if (result !== 0) return { kind: "refused", why: PCP_RESULTS[result] ?? `result ${result}` };
  const address = narrowOf(line.subarray(44, MAP_END));
  return { kind: "mapped", port: line.readUInt16BE(42), address, lifetime: line.readUInt32BE(4) };
}

/** RFC 6887 §7.4. */
const PCP_RESULTS: Readonly<Record<number, string>> = {
  2: "it does not permit that",
  3: "it calls the request malformed",
  4: "it knows no MAP",
  7: "its network is down",
  8: "it has no room for more",
  9: "it knows no mapping of TCP",
  10: "we have as many as it allows",
  11: "it cannot give that external port",
  12: "there is another NAT between us and it",
  13: "it excludes that peer",
};

/** The router's own address, which its answer to a mapping does not name (RFC 6886 §3.2). */
export function formatNatPmpAddress(): Buffer {
  return Buffer.from([NAT_PMP, OP_ADDRESS]);
}

/** @returns undefined for another question's answer. */
export function parseNatPmpAddress(line: Buffer): string | { readonly why: string } | undefined {
  if (line.length < 8 || line[0] !== NAT_PMP || line[1] !== (RESPONSE | OP_ADDRESS)) return undefined;
  const result = line.readUInt16BE(2);
  if (result !== 0) return { why: NAT_PMP_RESULTS[result] ?? `result ${result}` };
  return line.length < 12 ? undefined : line.subarray(8, 12).join(".");
}

/** RFC 6886 §3.3. */
export function formatNatPmpMap({ port, suggestedPort, lifetime }: MapQuestion): Buffer {
  const line = Buffer.alloc(12);
  line[1] = OP_MAP_TCP;
  line.writeUInt16BE(port, 4);
  line.writeUInt16BE(suggestedPort, 6);
  line.writeUInt32BE(lifetime, 8);
  return line;
}

/** @param address from `parseNatPmpAddress`. @returns undefined for another question's answer. */
export function parseNatPmpMap(line: Buffer, { port }: MapQuestion, address: string): MapAnswer | undefined {
  if (line.length < 16 || line[0] !== NAT_PMP || line[1] !== (RESPONSE | OP_MAP_TCP)) return undefined;
  if (line.readUInt16BE(8) !== port) return undefined;
  const result = line.readUInt16BE(2);
  if (result !== 0) return { kind: "refused", why: NAT_PMP_RESULTS[result] ?? `result ${result}` };
  return { kind: "mapped", port: line.readUInt16BE(10), address, lifetime: line.readUInt32BE(12) };
}

/** RFC 6886 §3.5. */
const NAT_PMP_RESULTS: Readonly<Record<number, string>> = {
  2: "it does not permit that",
  3: "its network is down",
  4: "it has no room for more",
  5: "it knows no such request",
};

/** IPv4 goes as `::ffff:192.0.2.1` (RFC 6887 §5). */
function wideOf(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from([...MAPPED, ...address.split(".").map(Number)]);
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const [front, back] = [groupsOf(head), groupsOf(tail ?? "")];
  const groups = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

function groupsOf(text: string): readonly number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function narrowOf(wide: Buffer): string {
  if (wide.subarray(0, MAPPED.length).equals(Buffer.from(MAPPED))) return wide.subarray(MAPPED.length).join(".");
  return Array.from({ length: 8 }, (_, at) => wide.readUInt16BE(2 * at).toString(16)).join(":");
}
