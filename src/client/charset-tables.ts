/** Characters to octets for the sets that `TextDecoder` reads: Node has no encoder for them, so its decoder is turned round. */
import { TextDecoder } from "node:util";
import { type ByteString, bytesOf } from "../base/bytes.ts";

/** Octets by character. */
export type EncodeTable = ReadonlyMap<string, ByteString>;

/** Sets in which octets of ASCII may mean something else: paths could not be told from names. */
const NO_ASCII: ReadonlySet<string> = new Set(["utf-16le", "utf-16be", "iso-2022-jp", "iso-2022-kr", "replacement"]);
/** Sets with characters of two octets. What gb18030 and euc-jp write in three or four is known only after it was listed. */
const DOUBLE: ReadonlySet<string> = new Set(["shift_jis", "gbk", "gb18030", "big5", "euc-kr", "euc-jp"]);

const LF = 10;
const FIRST_LEAD = 0x81;
const LAST_LEAD = 0xfe;
const FIRST_TRAIL = 0x40;

const tables = new Map<string, EncodeTable>();

/** @returns the decoder of a set; undefined if there is no such set, or none in which ASCII is itself. */
export function nameDecoder(label: string): TextDecoder | undefined {
  try {
    const decoder = new TextDecoder(label, { ignoreBOM: true });
    return NO_ASCII.has(decoder.encoding) ? undefined : decoder;
  } catch {
    return undefined; // a RangeError: the label is unknown, or this Node was built without it
  }
}

/** The characters above ASCII of a set, worked out at its first use (some 10 ms for the sets of two octets) and kept. */
export function encodeTable(decoder: TextDecoder): EncodeTable {
  const known = tables.get(decoder.encoding);
  if (known !== undefined) return known;
  const table = new Map<string, ByteString>();
  addSingles(table, decoder);
  if (DOUBLE.has(decoder.encoding)) {
    for (const lead of leadsOf(decoder.encoding)) addPairs(table, { decoder, lead });
  }
  tables.set(decoder.encoding, table);
  return table;
}

/** Of characters that stand in a set twice the first place counts, so the order of the leads is that of preference. */
function leadsOf(encoding: string): readonly number[] {
  const leads = Array.from({ length: LAST_LEAD - FIRST_LEAD + 1 }, (_, index) => FIRST_LEAD + index);
  // NEC's copy of IBM's characters: Windows writes IBM's own.
  if (encoding === "shift_jis") return leads.filter((lead) => lead !== 0xed && lead !== 0xee);
  // The planes of the standards themselves begin here; what lies below was added.
  return [...leads.filter((lead) => lead >= 0xa1), ...leads.filter((lead) => lead < 0xa1)];
}

function addSingles(table: Map<string, ByteString>, decoder: TextDecoder): void {
  for (let octet = 0x80; octet <= 0xff; octet++) add(table, decoder.decode(Uint8Array.of(octet)), Buffer.of(octet));
}

/** All pairs with one lead in one go, a LF behind each: no pair of any set ends in it. */
function addPairs(
  table: Map<string, ByteString>,
  { decoder, lead }: { readonly decoder: TextDecoder; readonly lead: number },
): void {
  const count = 0x100 - FIRST_TRAIL;
  const octets = Buffer.alloc(count * 3, LF);
  for (let index = 0; index < count; index++) {
    octets[index * 3] = lead;
    octets[index * 3 + 1] = FIRST_TRAIL + index;
  }
  const characters = decoder.decode(octets).split("\n");
  // Were a LF taken into a pair, every later one would get the octets of its neighbour.
  if (characters.length !== count + 1) return;
  for (let index = 0; index < count; index++)
    add(table, characters[index] ?? "", octets.subarray(index * 3, index * 3 + 2));
}

function add(table: Map<string, ByteString>, character: string, octets: Buffer): void {
  const code = character.codePointAt(0) ?? 0;
  const isOne = character.length === (code > 0xffff ? 2 : 1);
  if (isOne && code > 0x7f && code !== 0xfffd && !table.has(character)) table.set(character, bytesOf(octets));
}
