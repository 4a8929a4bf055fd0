/**
 * The fourth file with foreign-function prototypes: crypt(3), for the hashes of accounts that come from elsewhere. Loaded
 * by the broker alone, and only when an account has such a hash.
 */
import { type CLibrary, fromCLibrary, whyNoLibrary } from "./c-library.ts";

/** libxcrypt's, or that of an old glibc; Fedora's; musl has the function in its C library. */
const LIBRARIES = ["libcrypt.so.1", "libcrypt.so.2", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
/** Octets of struct crypt_data: 32 KiB in libxcrypt, 131,232 in an old glibc, 260 in musl. */
const DATA_OCTETS = 132 * 1_024;
/** Structures that are kept for the next call: those of the checks that run at once by default. */
const SPARE_LIMIT = 2;

/** crypt(3), off the event loop. */
export type CryptCalls = {
  /**
   * Hashes a phrase as `setting` says, a whole hash or its part before the sum, on a thread of libuv's pool. The caller
   * bounds how many run at once, and what a setting may cost.
   * @param phrase without NUL. It is copied, and the copy wiped.
   * @returns undefined where the library refuses: a form that it does not know, or a phrase that is too long for it.
   */
  crypt(phrase: Buffer, setting: string): Promise<string | undefined>;
};

let loaded: { readonly calls: CryptCalls | undefined } | undefined;

/** The calls, or undefined: see `whyNoCrypt`. Loaded once. */
export function loadCryptCalls(): CryptCalls | undefined {
  if (process.env["FERRYMAN_FFI"] === "off") return undefined;
  loaded ??= { calls: fromCLibrary(cryptCalls, LIBRARIES) };
  return loaded.calls;
}

/** Why there is none, where there is none. */
export function whyNoCrypt(): string {
  const hasOthers = process.env["FERRYMAN_FFI"] !== "off" && fromCLibrary(() => true) === true;
  return hasOthers ? "this system has no libcrypt (libcrypt.so.1; in Debian the package libcrypt1)" : whyNoLibrary();
}

/** As koffi calls it on another thread: the values, then who hears of the end. */
type CryptR = { async(phrase: Buffer, setting: Buffer, data: Buffer, done: Done): void };
type Done = (fault: unknown, hash: string | null) => void;

function cryptCalls(library: CLibrary): CryptCalls {
  const cryptR: CryptR = library.func("crypt_r", "str", ["void*", "void*", "void*"]);
  const spare: Buffer[] = [];
  return {
    async crypt(phrase, setting) {
      const values = [
        cString(phrase),
        cString(Buffer.from(setting)),
        spare.pop() ?? Buffer.alloc(DATA_OCTETS),
      ] as const;
      const [, , data] = values;
      try {
        const hash = await new Promise<string | null>((resolve) => {
          cryptR.async(...values, (fault, found) => resolve(fault === null ? found : null));
        });
        // crypt(3): "*0" or "*1" where it failed, a text that no hash can be; NULL in old libraries.
        return hash === null || hash.startsWith("*") ? undefined : hash;
      } finally {
        // Also what keeps all three alive until now: koffi does not, and a thread would read what was freed.
        for (const each of values) each.fill(0);
        if (spare.length < SPARE_LIMIT) spare.push(data);
      }
    },
  };
}

/** @throws {RangeError} for octets with a NUL, of which C would see a part. */
function cString(octets: Buffer): Buffer {
  if (octets.includes(0)) throw new RangeError("a phrase or a hash holds NUL");
  const text = Buffer.alloc(octets.length + 1);
  octets.copy(text);
  return text;
}
