/** C libraries by koffi, for the files of prototypes: where they are, and where they are not to be had at all. */
import { createRequire } from "node:module";

export type Koffi = typeof import("koffi");
export type CLibrary = import("koffi").LibraryHandle;

const C_LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

/**
 * What `make` makes of the first of the libraries that is there: the C library, unless others are named.
 * @returns undefined: not Linux on x64 or arm64, no koffi, or a library without one of the functions.
 */
export function fromCLibrary<Calls>(
  make: (library: CLibrary, koffi: Koffi) => Calls,
  names: readonly string[] = C_LIBRARIES,
): Calls | undefined {
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) return undefined;
  try {
    const koffi: Koffi = createRequire(import.meta.url)("koffi");
    for (const name of names) {
      const library = tryLibrary(koffi, name);
      if (library !== undefined) return make(library, koffi);
    }
  } catch {
    // Not installed, not for this C library, or without one of the functions: the portable way it is.
  }
  return undefined;
}

/** Why there is no library to call, where there is none. */
export function whyNoLibrary(): string {
  if (process.platform !== "linux") return "it needs Linux";
  if (process.arch !== "x64" && process.arch !== "arm64") return "it needs x64 or arm64";
  if (process.env["FERRYMAN_FFI"] === "off") return "the environment has FERRYMAN_FFI=off";
  return "the package koffi is not installed, or not for this C library";
}

function tryLibrary(koffi: Koffi, name: string): CLibrary | undefined {
  try {
    return koffi.load(name);
  } catch {
    return undefined;
  }
}
