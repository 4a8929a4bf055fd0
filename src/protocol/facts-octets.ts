/** The lines of MLSD (`facts.ts`) straight into a buffer, for whole folders: what neighbours share is copied as octets. */
import { clampedTime } from "./calendar.ts";
import {
  type EntryTable,
  FOLDER_TYPE,
  HEX_OCTETS,
  kindOfMode,
  MINUTE_MS,
  NUMBER_OCTETS,
  octetsOfText,
  putHex,
  putLineEnd,
  putName,
  putNumber,
  putOctets,
  type TableWriter,
} from "./entry-table.ts";
import { type FactName, formatTimeVal, TYPES, unixFactsOf } from "./facts.ts";

const ZERO = 48;
const SEMICOLON = 59;
/** The type in `st_mode`, shifted down. */
const FILE_TYPE = 8;
/** Octets of what stands between the size and the unique fact's number in hexadecimal, and of the ends of facts. */
const TIME_OCTETS = "modify=20240131123456;".length;
const ENDS_OCTETS = 3;

/** The perm facts of all files and of all folders: RFC 3659 §7.5.5. */
export type SharedPerms = { readonly file: string; readonly directory: string };

/** Lines as `factsWriter` has them, each with a space, its name and its CRLF. */
export function factLinesWriter(chosen: ReadonlySet<FactName>, perms: SharedPerms): TableWriter<EntryTable> {
  const ofFolders = new EntryFacts(chosen, perms.directory);
  const ofOthers = new EntryFacts(chosen, perms.file);
  const time = chosen.has("modify") ? new TimeFact() : undefined;
  const withSize = chosen.has("size");
  const withUnique = chosen.has("unique");
  return (table, from, lines) => {
    const { octets } = lines;
    const { count, starts, ends, modes, sizesLow, sizesHigh, modified } = table;
    let at = lines.length;
    let index = from;
    for (; index < count; index++) {
      const mode = modes[index] ?? 0;
      const facts = mode >>> 12 === FOLDER_TYPE ? ofFolders : ofOthers;
      facts.look(table, index);
      const name = (ends[index] ?? 0) - (starts[index] ?? 0);
      if (at + facts.longest + name + 2 > octets.length) break;
      at = putOctets(octets, at, facts.head);
      if (withSize && mode >>> 12 === FILE_TYPE) {
        at = putNumber(octets, at, sizesLow[index] ?? 0, sizesHigh[index] ?? 0, 0);
        octets[at++] = SEMICOLON;
      }
      if (time !== undefined) at = time.put(octets, at, modified[index] ?? 0);
      at = putOctets(octets, at, facts.middle);
      if (withUnique) at = putInode(octets, at, table, index);
      at = putOctets(octets, at, facts.tail);
      at = putLineEnd(octets, putName(octets, at, table, index));
    }
    lines.length = at;
    return index;
  };
}

function putInode(into: Uint8Array, at: number, { inodesLow, inodesHigh }: EntryTable, index: number): number {
  const end = putHex(into, at, inodesLow[index] ?? 0, inodesHigh[index] ?? 0);
  into[end] = SEMICOLON;
  return end + 1;
}

/** The parts of a line that entries share, as octets. */
class EntryFacts {
  readonly #chosen: ReadonlySet<FactName>;
  readonly #perm: string;
  #mode = -1;
  #uid = 0;
  #gid = 0;
  #device = 0;
  /** Before the size. */
  head = new Uint8Array(0);
  /** From after the time up to the number of the unique fact. */
  middle = new Uint8Array(0);
  /** From there to the name. */
  tail = new Uint8Array(0);
  /** Octets of a line without its name and end, at most. */
  longest = 0;

  constructor(chosen: ReadonlySet<FactName>, perm: string) {
    this.#chosen = chosen;
    this.#perm = perm;
  }

  look(table: EntryTable, index: number): void {
    const { modes, uids, gids, devices } = table;
    if (
      this.#mode !== modes[index] ||
      this.#uid !== uids[index] ||
      this.#gid !== gids[index] ||
      this.#device !== devices[index]
    ) {
      this.#make(table, index);
    }
  }

  #make(table: EntryTable, index: number): void {
    this.#mode = table.modes[index] ?? 0;
    this.#uid = table.uids[index] ?? 0;
    this.#gid = table.gids[index] ?? 0;
    this.#device = table.devices[index] ?? 0;
    const chosen = this.#chosen;
    const kind = kindOfMode(this.#mode);
    const type = chosen.has("type") ? `type=${TYPES[kind]};` : "";
    this.head = octetsOfText(chosen.has("size") && kind === "file" ? `${type}size=` : type);
    const perm = chosen.has("perm") ? `perm=${this.#perm};` : "";
    this.middle = octetsOfText(chosen.has("unique") ? `${perm}unique=${table.deviceText(this.#device)}` : perm);
    const mode = this.#mode & 0o7777;
    const unix = { mode, owner: table.ownerOf(this.#uid), group: table.groupOf(this.#gid) };
    this.tail = octetsOfText(`${unixFactsOf(unix, chosen)} `);
    const shared = this.head.length + this.middle.length + this.tail.length;
    this.longest = shared + NUMBER_OCTETS + TIME_OCTETS + HEX_OCTETS + ENDS_OCTETS;
  }
}

/** Times of neighbours are often of one minute. */
class TimeFact {
  #minute = Number.NaN;
  #octets = new Uint8Array(0);

  put(into: Uint8Array, at: number, modified: number): number {
    const time = clampedTime(modified);
    const minute = Math.floor(time / MINUTE_MS);
    if (this.#minute !== minute) {
      this.#minute = minute;
      this.#octets = octetsOfText(`modify=${formatTimeVal(time).slice(0, -2)}`);
    }
    const end = putOctets(into, at, this.#octets);
    const seconds = Math.floor((time - minute * MINUTE_MS) / 1000);
    const tens = Math.floor(seconds / 10);
    into[end] = ZERO + tens;
    into[end + 1] = ZERO + seconds - tens * 10;
    into[end + 2] = SEMICOLON;
    return end + 3;
  }
}
