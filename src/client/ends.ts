/** Where the octets of a transfer come from and go to on our side, in whichever of the usual forms the caller has it. */
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { FtpError } from "./errors.ts";
import type { OpenFile, Sink, Source } from "./types.ts";

/** What a transfer can work with, and its octets where the form tells them. */
export type GivenSource = { readonly from: Exclude<Source, URL | Blob>; readonly size?: number };

/** @throws {FtpError} USAGE for what is no source. */
export function sourceOf(given: Source): GivenSource {
  if (typeof given === "string" || given instanceof Uint8Array) return { from: given };
  if (given instanceof URL) return { from: pathOf(given) };
  if (given instanceof Blob) return { from: given.stream(), size: given.size };
  const isIterable = typeof given === "object" && Symbol.asyncIterator in given;
  if (isIterable || isOpenFile(given)) return { from: given };
  throw new FtpError("USAGE", `${shown(given)} is nothing to send`, {
    phase: "local",
    hint: "give a path, a file: URL, an open file, octets, a Blob, a stream, or an async iterable of octets",
  });
}

/** A stream may have a descriptor too. */
export function isOpenFile(given: unknown): given is OpenFile {
  if (typeof given !== "object" || given === null || Symbol.asyncIterator in given) return false;
  return "fd" in given && typeof given.fd === "number";
}

/** @throws {FtpError} USAGE for what is no place. */
export function sinkOf(given: Sink): string | Writable {
  if (typeof given === "string" || given instanceof Writable) return given;
  if (given instanceof URL) return pathOf(given);
  if (given instanceof WritableStream) return Writable.fromWeb(given);
  throw new FtpError("USAGE", `${shown(given)} is no place to write to`, {
    phase: "local",
    hint: "give a path, a file: URL, or a stream that can be written to",
  });
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new FtpError("USAGE", `${url.href} is no file of this machine`, {
      phase: "local",
      hint: "give a file: URL or a path; copyTo copies from server to server",
      cause: error,
    });
  }
}

function shown(given: unknown): string {
  return given === null || given === undefined ? String(given) : `a value of type ${typeof given}`;
}
