/** Replies on the control connection: codes, standing texts, wire form, and how they are read back (RFC 959 §4.2). */
import type { ByteString } from "../base/bytes.ts";
import { LineSplitter } from "./line-splitter.ts";
import { REPLY_LIMIT, REPLY_LINE_LIMIT } from "./limits.ts";
import { joined } from "./octets.ts";

/** The text sent with a code when a handler gives none. RFC 959 §4.2.1, RFC 2228 §5.1, RFC 2428, RFC 4217, RFC 7151. */
export const REPLY_TEXT = {
  110: "Restart marker.",
  120: "Not ready yet; try again in some minutes.",
  125: "The data connection is open; the transfer starts.",
  150: "Opening the data connection.",
  200: "Done.",
  202: "Not needed here.",
  211: "System status.",
  212: "Folder status.",
  213: "File status.",
  214: "Help.",
  215: "UNIX Type: L8",
  220: "Ready.",
  221: "Goodbye.",
  225: "No transfer runs.",
  226: "The transfer is complete.",
  227: "Entering Passive Mode.",
  228: "Entering Long Passive Mode.",
  229: "Entering Extended Passive Mode.",
  230: "Signed in.",
  232: "Signed in; the certificate stands for the password.",
  234: "TLS starts now.",
  235: "Security data accepted.",
  250: "Done.",
  257: "Path follows.",
  331: "Password, please.",
  332: "An account is needed.",
  334: "Security data, please.",
  335: "More security data, please.",
  336: "Challenge follows.",
  350: "Waiting for the next command.",
  421: "Closing the control connection.",
  425: "The data connection could not be opened.",
  426: "The transfer was cut off.",
  430: "Name or password is wrong.",
  431: "This security mechanism cannot be used now.",
  434: "This host cannot be reached.",
  450: "Busy; try again later.",
  451: "Local error; this is our fault.",
  452: "No space is left.",
  500: "Unknown command.",
  501: "Bad argument.",
  502: "This command is not offered here.",
  503: "Bad order of commands.",
  504: "This argument is not offered here.",
  521: "The data connection cannot be opened with this protection.",
  522: "Network protocol not supported, use (1,2).",
  530: "Sign in first.",
  532: "An account is needed to store files.",
  533: "This protection level is refused for this command.",
  534: "Refused for reasons of policy.",
  535: "The security check failed.",
  536: "This protection level is not offered.",
  537: "This protection level is not offered by the mechanism.",
  550: "No such file, or not yours to use.",
  551: "The page type or checkpoint is unknown.",
  552: "More than may be stored.",
  553: "That name is not allowed.",
  554: "The restart point is not valid.",
  555: "This type and structure do not go together.",
  556: "No digest can be made of this.",
} as const satisfies Record<number, string>;

export type ReplyCode = keyof typeof REPLY_TEXT;
/** Lines are octets without line ends: ASCII literals and byte strings. Other text must come through `bytesOfText`. */
export type Reply = { readonly code: ReplyCode; readonly lines: readonly [string, ...string[]] };

export function reply(code: ReplyCode, first: string = REPLY_TEXT[code], ...rest: string[]): Reply {
  return { code, lines: [first, ...rest] };
}

/**
 * The wire form: `213 5`, or for several lines `211-first`, …, `211 last`, each ending in CRLF (RFC 959 §4.2).
 *
 * CR, LF and NUL become `?`, so that no file name can forge a reply; so does what is no octet at all. Other control
 * octets stay, as clients send names back. A middle line that starts with three digits gets a space in front, so that
 * no client takes it for the last one. An octet 0xFF is doubled (Telnet IAC, RFC 854).
 */
export function encodeReply({ code, lines }: Reply): ByteString {
  const last = lines.length - 1;
  if (last === 0) return joined(`${code} ${safeLine(lines[0])}\r\n`);
  let wire = "";
  for (const [index, text] of lines.entries()) {
    const line = safeLine(text);
    if (index === last) wire += `${code} ${line}\r\n`;
    else if (index === 0) wire += `${code}-${line}\r\n`;
    else wire += /^\d{3}/.test(line) ? ` ${line}\r\n` : `${line}\r\n`;
  }
  return joined(wire);
}

/** Nothing to replace, as in nearly every reply. */
// oxlint-disable-next-line no-control-regex -- the octets that end a line
const PLAIN = /^[^\r\n\0\xff-\uffff]*$/;

/** Of text that went past `bytesOfText` the low octets alone would be sent, and U+010A has LF for one. */
function safeLine(text: string): string {
  if (PLAIN.test(text)) return text;
  // oxlint-disable-next-line no-control-regex -- the octets that end a line
  return text.replace(/[\r\n\0]|[^\0-\xff]/g, "?").replaceAll("\xff", "\xff\xff");
}

/** A path as 257 shows it: in quotes, with quotes within doubled (RFC 959 Appendix II). */
export function quotePath(path: ByteString): ByteString {
  return joined(`"${path.replaceAll('"', '""')}"`);
}

/** The path in the text of a 257: what stands between its first quotes. Undefined without a pair of them. */
export function unquotePath(text: ByteString): ByteString | undefined {
  const start = text.indexOf('"') + 1;
  if (start === 0) return undefined;
  let end = text.indexOf('"', start);
  while (end !== -1 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  return end === -1 ? undefined : joined(text.slice(start, end).replaceAll('""', '"'));
}

export type ParsedReply = {
  /** 100 to 659. */
  readonly code: number;
  /** The first and the last line without code; those between as they stand. */
  readonly lines: readonly [ByteString, ...ByteString[]];
};

/** "too-long": a line over REPLY_LINE_LIMIT or a reply over REPLY_LIMIT. */
export type ReplyFault = "malformed" | "too-long";

/** Replies of any server out of octets, however these are split. After a fault it reads nothing more: look at `fault`. */
export class ReplyParser {
  readonly #splitter = new LineSplitter(REPLY_LINE_LIMIT);
  #fault: ReplyFault | undefined;
  /** The reply whose last line has not come: its code, its lines, and their octets. */
  #open: { readonly code: string; readonly lines: [ByteString, ...ByteString[]]; octets: number } | undefined;

  /** Why nothing more is read; the connection is of no use then. */
  get fault(): ReplyFault | undefined {
    return this.#fault;
  }

  /** Whether a reply has begun and not ended. */
  get isPending(): boolean {
    return this.#open !== undefined || this.#splitter.pending > 0;
  }

  push(chunk: Buffer): readonly ParsedReply[] {
    const replies: ParsedReply[] = [];
    if (this.#fault !== undefined) return replies;
    for (const event of this.#splitter.push(chunk)) {
      if (event.kind === "line") this.#line(event.line, replies);
      else if (event.kind === "too-long") this.#fault = "too-long";
      if (this.#fault !== undefined) break;
    }
    return replies;
  }

  #line(line: ByteString, replies: ParsedReply[]): void {
    const [, code = "", mark = "", text = ""] = /^([1-6][0-5]\d)(?:([ -])(.*))?$/s.exec(line) ?? [];
    const open = this.#open;
    if (open === undefined) {
      if (code === "") this.#fault = "malformed";
      else if (mark === "-") this.#open = { code, lines: [joined(text)], octets: line.length };
      else replies.push({ code: Number(code), lines: [joined(text)] });
      return;
    }
    open.octets += line.length;
    if (open.octets > REPLY_LIMIT) this.#fault = "too-long";
    else if (code !== open.code || mark === "-") open.lines.push(line);
    else {
      open.lines.push(joined(text));
      this.#open = undefined;
      replies.push({ code: Number(code), lines: open.lines });
    }
  }
}
