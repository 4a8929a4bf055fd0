/** The lines of `listing.ts` straight into a buffer, for whole folders: what neighbours share is copied as octets. */
import {
  type EntryTable,
  FOLDER_TYPE,
  kindOfMode,
  MINUTE_MS,
  NUMBER_OCTETS,
  octetsOfText,
  putLineEnd,
  putName,
  putNumber,
  putOctets,
  putText,
  type TableWriter,
} from "./entry-table.ts";
import { columnsText, dateColumn, oneLine } from "./listing.ts";
import { AHEAD_MS, RECENT_MS } from "./limits.ts";

const SIZE_COLUMN = 8;
/** Octets of a date with the spaces around it. */
const DATE_OCTETS = 14;
/** The type in `st_mode`, shifted down. */
const LINK_TYPE = 10;

/** Lines as `formatListLine` has them, each with its CRLF. @param now milliseconds since 1970 UTC. */
export function listLinesWriter(now: number): TableWriter<EntryTable> {
  // Folders and files take turns, and differ.
  const ofFolders = new Columns();
  const ofOthers = new Columns();
  const date = new DateColumn(now);
  return (table, from, lines) => {
    const { octets } = lines;
    const { count, starts, ends, modes, sizesLow, sizesHigh, modified } = table;
    let at = lines.length;
    let index = from;
    for (; index < count; index++) {
      const type = (modes[index] ?? 0) >>> 12;
      const columns = (type === FOLDER_TYPE ? ofFolders : ofOthers).of(table, index);
      const target = type === LINK_TYPE ? targetText(table, index) : "";
      const name = (ends[index] ?? 0) - (starts[index] ?? 0);
      if (at + columns.length + NUMBER_OCTETS + DATE_OCTETS + name + target.length + 2 > octets.length) break;
      at = putOctets(octets, at, columns);
      at = putNumber(octets, at, sizesLow[index] ?? 0, sizesHigh[index] ?? 0, SIZE_COLUMN);
      at = putOctets(octets, at, date.of(modified[index] ?? 0));
      at = putName(octets, at, table, index);
      if (target !== "") at = putText(octets, at, target);
      at = putLineEnd(octets, at);
    }
    lines.length = at;
    return index;
  };
}

/** The columns before the size as octets, and what they were made of. */
class Columns {
  #mode = -1;
  #links = 0;
  #uid = 0;
  #gid = 0;
  #octets = new Uint8Array(0);

  of(table: EntryTable, index: number): Uint8Array {
    const { modes, links, uids, gids } = table;
    if (
      this.#mode !== modes[index] ||
      this.#links !== links[index] ||
      this.#uid !== uids[index] ||
      this.#gid !== gids[index]
    ) {
      this.#make(table, index);
    }
    return this.#octets;
  }

  #make(table: EntryTable, index: number): void {
    this.#mode = table.modes[index] ?? 0;
    this.#links = table.links[index] ?? 0;
    this.#uid = table.uids[index] ?? 0;
    this.#gid = table.gids[index] ?? 0;
    const text = columnsText({
      kind: kindOfMode(this.#mode),
      mode: this.#mode & 0o7777,
      links: this.#links,
      owner: table.ownerOf(this.#uid),
      group: table.groupOf(this.#gid),
    });
    this.#octets = octetsOfText(text);
  }
}

/** Dates of neighbours are often of one minute. */
class DateColumn {
  readonly #now: number;
  readonly #octets = new Uint8Array(DATE_OCTETS);
  #minute = Number.NaN;
  #recent = false;

  constructor(now: number) {
    this.#now = now;
  }

  of(modified: number): Uint8Array {
    const age = this.#now - modified;
    const recent = age <= RECENT_MS && age >= -AHEAD_MS;
    const minute = Math.floor(modified / MINUTE_MS);
    if (this.#minute !== minute || this.#recent !== recent) {
      this.#minute = minute;
      this.#recent = recent;
      putText(this.#octets, 0, ` ${dateColumn(modified, this.#now)} `);
    }
    return this.#octets;
  }
}

function targetText(table: EntryTable, index: number): string {
  const target = table.target(index);
  return target === undefined ? "" : ` -> ${oneLine(target)}`;
}
