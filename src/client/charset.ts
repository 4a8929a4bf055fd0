/**
 * Names of a server as text, and text as the octets of a name. Servers hold names in sets that nobody tells, often in
 * two at the same time, and a name that was listed must reach the very same file again. So whatever was decoded here is
 * encoded to the octets that it came from (complaint 25 of clients).
 */
import type { TextDecoder } from "node:util";
import { type ByteString, bytesOf, bytesOfText, octetsOf, textOf } from "../base/bytes.ts";
import { isUtf8, joined } from "../protocol/octets.ts";
import { guessCharset } from "./charset-guess.ts";
import { encodeTable, nameDecoder } from "./charset-tables.ts";
import { FtpError, printable, usageError } from "./errors.ts";
import { GUESS_NAMES, GUESS_PLAIN, NAMES_REMEMBERED, NAME_COST } from "./limits.ts";

/**
 * Octets above ASCII that have no other text: octet N as the lone surrogate U+DC00+N, which no decoder gives. It is the
 * way out where a text is taken by another name already, and where there is no more room to remember.
 */
const ESCAPE = 0xdc00;

/** How far the set of a server's names has been found. */
type Guessing = {
  /** Names that are no UTF-8. */
  readonly samples: ByteString[];
  /** How many of them were looked at. */
  judged: number;
  /** Names above ASCII that are UTF-8. */
  plain: number;
  hasNoted: boolean;
};

/** @throws {FtpError} USAGE. */
function decoderOf(charset: string): { readonly decoder: TextDecoder; readonly isUtf8: boolean } {
  const decoder = nameDecoder(charset);
  const fallback = decoder?.encoding === "utf-8" ? nameDecoder("latin1") : decoder;
  if (decoder === undefined || fallback === undefined) {
    const message = `The character set "${printable(charset)}" is not known, or no names can be written in it.`;
    throw usageError(message, "Take utf-8, latin1, windows-1251, koi8-r, shift_jis, gbk, big5 or euc-kr.");
  }
  return { decoder: fallback, isUtf8: decoder.encoding === "utf-8" };
}

export class NameCoder {
  /** What stands for octets that are no UTF-8, and in which new names are written if it was chosen. */
  #decoder: TextDecoder;
  readonly #isUtf8: boolean;
  /** Whether the set is still to be found from names; undefined: it was chosen, or found. */
  #guessing: Guessing | undefined;
  /** The set is being guessed, or was. */
  #isOpen: boolean;
  readonly #note: (what: string) => void;
  /**
   * Octets of texts that would be encoded otherwise, and of texts that another name could be given for: one text, one
   * name, for as long as the connection lives.
   */
  readonly #seen = new Map<string, ByteString>();
  /** Octets that it may still hold, about; none at all once something did not fit. */
  #room = NAMES_REMEMBERED;

  /**
   * @param charset a label that `TextDecoder` knows, such as "windows-1251" or "shift_jis": names that are no UTF-8 are
   *   read in it, and new names written. Default: new names are written in UTF-8, and names that are none are read in a set
   *   that is guessed from them, else as latin1.
   * @param note hears in a sentence that names are no UTF-8, and how they are read.
   * @throws {FtpError} USAGE for a set that is not known, or in which ASCII means something else.
   */
  constructor(charset?: string, note: (what: string) => void = () => {}) {
    this.#note = note;
    this.#isOpen = charset === undefined;
    this.#guessing = charset === undefined ? { samples: [], judged: 0, plain: 0, hasNoted: false } : undefined;
    const { decoder, isUtf8 } = decoderOf(charset ?? "utf-8");
    this.#decoder = decoder;
    this.#isUtf8 = isUtf8;
  }

  /**
   * Names of a listing, each before it is decoded: so long as it is not clear in which set they are.
   * @returns whether this one should wait until `settle` has looked at more of them.
   */
  sample(name: ByteString): boolean {
    const guessing = this.#guessing;
    if (guessing === undefined || isAscii(name)) return false;
    if (isUtf8(name)) {
      // A server of so many such names has no others, or not enough of them to hold up a listing for.
      guessing.plain += 1;
      if (guessing.plain > GUESS_PLAIN && guessing.samples.length === 0) this.#close();
      return false;
    }
    if (guessing.samples.length < GUESS_NAMES) guessing.samples.push(name);
    return guessing.samples.length < GUESS_NAMES;
  }

  /** It stays latin1. */
  #close(): void {
    this.#guessing = undefined;
    this.#isOpen = false;
  }

  /** Finds the set of the names that were sampled, as far as they tell. */
  settle(): void {
    const guessing = this.#guessing;
    if (guessing === undefined || guessing.samples.length === guessing.judged) return;
    guessing.judged = guessing.samples.length;
    const { charset, isSure } = guessCharset(guessing.samples);
    const isLatin = charset === "windows-1252";
    if (isSure && !isLatin) {
      this.#guessing = undefined;
      this.#decoder = nameDecoder(charset) ?? this.#decoder;
    } else if (isSure || guessing.judged >= GUESS_NAMES) this.#close();
    // What latin1 makes of names of Western Europe is what they are.
    if ((isSure && isLatin) || (!isSure && guessing.hasNoted)) return;
    guessing.hasNoted = true;
    const how = isSure ? `${charset}, as far as they tell` : "latin1, as they do not tell in which set they are";
    this.#note(
      `names of this server are not UTF-8 and are read as ${how}; the option charset (--charset) says otherwise`,
    );
  }

  /** @param path a name, or names with `/` between them. */
  decode(path: ByteString): string {
    if (isAscii(path)) return path;
    return path
      .split("/")
      .map((name) => this.#decodeName(joined(name)))
      .join("/");
  }

  /** For people: replies, owners, warnings. Nothing of it is remembered, so it need not come back to its octets. */
  shown(octets: ByteString): string {
    return this.#read(octets);
  }

  /**
   * @param path a name, or names with `/` between them. An octet 0xFF is not doubled: who writes it to a control
   *   connection does so (RFC 959 §4.1.3, Telnet's IAC).
   * @throws {FtpError} UNSAFE_NAME for CR, LF and NUL, which would end the command (attack 64), and for characters
   *   that the set does not have.
   */
  encode(path: string): ByteString {
    const control = /[\0\r\n]/.exec(path)?.[0];
    if (control !== undefined)
      throw unsafe(path, `it holds ${CONTROL_NAMES[control] ?? "NUL"}, which would end the command`);
    if (isAscii(path)) return bytesOfText(path);
    return joined(
      path
        .split("/")
        .map((name) => this.#seen.get(name) ?? this.#encodeName(name))
        .join("/"),
    );
  }

  #decodeName(octets: ByteString): string {
    if (isAscii(octets)) return octets;
    const text = this.#read(octets);
    // Text of ASCII alone stands for its own octets, and `/` for the end of a name.
    if (isAscii(text) || text.includes("/")) return escaped(octets);
    const seen = this.#seen.get(text);
    if (seen === octets) return text;
    if (seen !== undefined || !this.#remember(text, octets)) return escaped(octets);
    return text;
  }

  #read(octets: ByteString): string {
    return isUtf8(octets) ? textOf(octets) : this.#decoder.decode(octetsOf(octets));
  }

  /** @returns false if the text cannot be kept for these octets and would be encoded otherwise. */
  #remember(text: string, octets: ByteString): boolean {
    const isOwn = this.#plainly(text) === octets;
    // The text of UTF-8 can be given for other octets too only if the other set has all of its characters: of latin1 that is
    // known; a guessed set may have more than its table, and one that is not guessed yet any.
    if (isOwn && this.#isUtf8 && !this.#isOpen && !this.#isInSet(text)) return true;
    // Where there is no room the octets are escaped, so nothing takes a text that another name may have had before.
    const cost = 2 * text.length + octets.length + NAME_COST;
    this.#room = cost > this.#room ? 0 : this.#room - cost;
    if (this.#room === 0) return isOwn;
    this.#seen.set(text, octets);
    return true;
  }

  #isInSet(text: string): boolean {
    const table = encodeTable(this.#decoder);
    return Array.from(text).every((character) => isAscii(character) || table.has(character));
  }

  /** @returns undefined if a character is not in the set. */
  #plainly(text: string): ByteString | undefined {
    const table = this.#isUtf8 ? undefined : encodeTable(this.#decoder);
    let octets = "";
    for (const character of text) {
      const each = octetsOfCharacter(character, table);
      if (each === undefined) return undefined;
      octets += each;
    }
    return joined(octets);
  }

  #encodeName(name: string): ByteString {
    const octets = this.#plainly(name);
    if (octets !== undefined) return octets;
    const table = this.#isUtf8 ? undefined : encodeTable(this.#decoder);
    const missing = Array.from(name).find((character) => octetsOfCharacter(character, table) === undefined) ?? "";
    const code = (missing.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    throw unsafe(
      name,
      `the character set ${this.#isUtf8 ? "utf-8" : this.#decoder.encoding} has no "${printable(missing)}" (U+${code})`,
    );
  }
}

const CONTROL_NAMES: Readonly<Record<string, string>> = { "\r": "CR", "\n": "LF" };

function unsafe(path: string, why: string): FtpError {
  const message = `The name "${printable(path)}" cannot be sent: ${why}.`;
  return new FtpError("UNSAFE_NAME", message, { phase: "local" });
}

/** @param table of another set than UTF-8. */
function octetsOfCharacter(character: string, table: ReadonlyMap<string, ByteString> | undefined): string | undefined {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return character;
  if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) return String.fromCharCode(code - ESCAPE);
  if (table !== undefined) return table.get(character);
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return isSurrogate ? undefined : bytesOf(Buffer.from(character, "utf8"));
}

function escaped(octets: ByteString): string {
  return octets.replace(/[\x80-\xff]/g, (octet) => String.fromCharCode(ESCAPE + octet.charCodeAt(0)));
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- ASCII is what is meant
  return /^[\0-\x7f]*$/.test(text);
}

/** Whether two names are the same to people: file systems of Apple take accents apart (NFD), others do not (NFC). */
export function sameName(a: string, b: string): boolean {
  return a === b || a.normalize("NFC") === b.normalize("NFC");
}
