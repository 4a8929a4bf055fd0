/**
 * A list of what is to be fetched, for `get -i FILE`: one URL to a line, with a place for it behind the URL if one likes.
 * It is read as it comes, so that it may be a pipe and longer than memory.
 */
import { createReadStream } from "node:fs";
import { withoutPassword } from "../base/masked.ts";
import { FtpError, printable, usageError } from "./errors.ts";
import { localFault } from "./octets.ts";
import { parseFtpUrl } from "./url.ts";

/** What a line asks for. */
export type BatchItem = {
  /** From 1. */
  readonly line: number;
  /** As it stands in the list. */
  readonly url: string;
  /** A path of this host; absent: the name at the server, in the folder where one is. */
  readonly target?: string | undefined;
};
/** A line that asks for nothing that can be had; the others are not concerned. */
export type BatchFault = { readonly line: number; readonly error: FtpError };

export type BatchOptions = {
  /** Lines that may come. Default `LINES_MOST`. */
  readonly most?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What `-` stands for. Default: the standard input. */
  readonly stdin?: AsyncIterable<Uint8Array | string> | undefined;
};

/** Lines of a list: what aria2 and wget are given by scripts has up to some hundred thousand. */
const LINES_MOST = 1_000_000;
/** Octets of a line: the longest URL, and a path. */
const LINE_MOST = 32_768;
/** Characters of a line that a message repeats. */
const SHOWN_MOST = 60;

/**
 * Reads a list. Empty lines, and those that begin with `#` or `;`, say nothing. A URL or target with spaces stands in double
 * quotes.
 * @param source path of a file, `-`, or what gives its octets.
 * @throws {FtpError} LOCAL_IO; LIMIT for too many lines or one that is too long; or the signal's reason.
 */
export async function* readBatch(
  source: string | AsyncIterable<Uint8Array | string>,
  options: BatchOptions = {},
): AsyncGenerator<BatchItem | BatchFault> {
  const { most = LINES_MOST, signal } = options;
  let count = 0;
  for await (const text of linesOf(chunksOf(source, options))) {
    signal?.throwIfAborted();
    count += 1;
    if (count > most) throw tooMuch(`the list has more than ${most} lines`);
    const item = itemOf(count === 1 ? text.replace(/^\ufeff/, "") : text, count);
    if (item !== undefined) yield item;
  }
}

export function isBatchFault(item: BatchItem | BatchFault): item is BatchFault {
  return "error" in item;
}

async function* chunksOf(
  source: string | AsyncIterable<Uint8Array | string>,
  { stdin = process.stdin }: BatchOptions,
): AsyncGenerator<Uint8Array | string> {
  if (typeof source !== "string") yield* source;
  else if (source === "-") yield* stdin;
  else {
    try {
      yield* createReadStream(source);
    } catch (error) {
      throw localFault(error, `cannot read the list ${source}`);
    }
  }
}

/** Without their ends. */
async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Pieces of a line that has not ended: to join them at each chunk would take the square of its length.
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      begun.push(text.slice(start, end));
      length += end - start;
      if (length > LINE_MOST) throw tooMuch(`a line has more than ${LINE_MOST} characters`);
      yield begun.join("");
      begun = [];
      length = 0;
      start = end + 1;
    }
    begun.push(text.slice(start));
    length += text.length - start;
    if (length > LINE_MOST) throw tooMuch(`a line has more than ${LINE_MOST} characters`);
  }
  // Half a character at the end is no text either.
  const last = begun.join("") + decoder.decode();
  if (last !== "") yield last;
}

function tooMuch(message: string): FtpError {
  return new FtpError("LIMIT", message, { phase: "local", hint: "is it a list of URLs?" });
}

function itemOf(text: string, line: number): BatchItem | BatchFault | undefined {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) return undefined;
  const [, quoted, bare = "", rest = ""] = /^(?:"([^"]*)"|(\S+))(?:\s+(.*))?$/s.exec(trimmed) ?? [];
  const url = quoted ?? bare;
  try {
    check(url, trimmed);
  } catch (error) {
    if (!(error instanceof FtpError)) throw error;
    const message = `line ${line}: ${error.message}`;
    return { line, error: new FtpError(error.code, message, { phase: "local", retryable: false, hint: error.hint }) };
  }
  const target = /^"([^"]*)"$/.exec(rest)?.[1] ?? rest;
  return { line, url, ...(target === "" ? {} : { target }) };
}

/** @throws {FtpError} USAGE. */
function check(url: string, text: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  if (/[\0-\x08\x0b-\x1f\x7f\ufffd]/.test(text))
    throw usageError("it holds what no text does", "a list is text in UTF-8");
  if (/^https?:\/\//i.test(url)) {
    if (!URL.canParse(url)) throw usageError(`"${shown(url)}" is no URL`);
    return;
  }
  if (!/^ftp(?:s|es)?:\/\//i.test(url)) {
    throw usageError(`"${shown(url)}" is no URL of FTP or HTTP`, "write ftp://host/path, and %20 for a space");
  }
  parseFtpUrl(url);
}

/** Without what could be a password. */
function shown(url: string): string {
  return printable(withoutPassword(url)).slice(0, SHOWN_MOST);
}
