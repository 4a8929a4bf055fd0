/** Names of months as servers of many languages write them, in the octets of the character sets that were in use there. */
import { bytesOfText } from "../../base/bytes.ts";

/** Of January to December. Where two languages give one word to different months, the one with more servers has it. */
const NAMES: readonly string[] = [
  "jan january janv janvier januar januari jän jänner ene gen tammi sty led ian oca sau янв січ яну ιαν jaan",
  "feb february fév févr fevr fev febr februar februari helmi lut úno şub vas фев лют φεβ veebr",
  "mar march mär mrz märz mars mrt mrz maalis bře márc märts kov мар бер μαρ",
  "apr april avr avril abr huhti kwi dub ápr nis bal апр кві απρ",
  "may mai mei maj mag touko kvě máj geg май мая тра μαΐ μάι",
  "jun june juin juni giu kesä cze čen čvn jún haz bir июн чер юни ιουν iun juuni",
  "jul july juil juli lug heinä lip čec čvc júl tem lie июл лип юли ιουλ iul juuli",
  "aug august août aout aoû ago elo sie srp ağu rgp авг сер αυγ avg",
  "sep september sept set syys wrz zář szept eyl rgs сен вер σεπ",
  "oct october okt out ott loka paź říj eki spa окт жов οκτ",
  "nov november marras lis kas lap ноя лис ное νοε νοέ",
  "dec december déc dez dic des joulu gru pro ara grd дек гру δεκ dets",
];

/** Sets of one octet per character in which those words were written before UTF-8. */
const SETS = [
  "windows-1252",
  "iso-8859-2",
  "windows-1250",
  "iso-8859-5",
  "windows-1251",
  "koi8-r",
  "koi8-u",
  "ibm866",
  "iso-8859-7",
  "windows-1254",
  "iso-8859-13",
] as const;

/** What nearly all servers write: no table need be made for it. */
const ENGLISH: ReadonlyMap<string, number> = new Map(
  NAMES.map((names, index) => [names.slice(0, names.indexOf(" ")), index + 1]),
);

let table: ReadonlyMap<string, number> | undefined;

/**
 * @param word octets, with a dot or comma behind them or without: `Jan`, `märz`, `févr.`, and `1` with the character for
 *   "month" of Chinese, Japanese or Korean in any of their sets.
 * @returns 1 to 12.
 */
export function monthOf(word: string): number | undefined {
  // Sizes and counts stand before the month of most lines, and should not have the table made.
  if (word.length > LONGEST || !/\D/.test(word)) return undefined;
  const name = word.toLowerCase().replace(/[.,]$/, "");
  const english = ENGLISH.get(name);
  if (english !== undefined) return english;
  table ??= monthTable();
  return table.get(name) ?? countedMonth(word);
}

function countedMonth(word: string): number | undefined {
  const [, digits] = COUNTED.exec(word) ?? [];
  const month = Number(digits);
  return month >= 1 && month <= 12 ? month : undefined;
}

/** Digits before one character of two or three octets, of which the first is above ASCII. */
const COUNTED = /^(\d{1,2})[\x80-\xff].{1,2}$/s;
/** Octets of the longest name above, and some. */
const LONGEST = 24;

function monthTable(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const tables = SETS.map(octetTable);
  for (const [index, names] of NAMES.entries()) {
    for (const name of names.split(" ")) {
      const capital = name.charAt(0).toUpperCase() + name.slice(1);
      for (const form of [name, capital, name.toUpperCase()]) {
        found.set(bytesOfText(form).toLowerCase(), index + 1);
        for (const octets of tables) {
          const written = Array.from(form, (character) => octets.get(character) ?? character).join("");
          // A character that the set does not have stays above U+00FF and is met in no line.
          found.set(written.toLowerCase(), index + 1);
        }
      }
    }
  }
  return found;
}

/** The octets above ASCII of a set, by the character that they stand for. */
function octetTable(set: (typeof SETS)[number]): ReadonlyMap<string, string> {
  const upper = Uint8Array.from({ length: 128 }, (_, index) => index + 128);
  const characters = Array.from(new TextDecoder(set).decode(upper));
  return new Map(characters.map((character, index) => [character, String.fromCharCode(index + 128)]));
}
