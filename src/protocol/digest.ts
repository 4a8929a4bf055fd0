/** The algorithms of HASH (draft-bryan-ftpext-hash) and of the older XCRC, XMD5 and XSHA verbs, by name. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** As FEAT lists them, in the order of the IANA hash names; SHA-256 is what we use unasked. */
export const DIGEST_NAMES = ["CRC32", "MD5", "SHA-1", "SHA-256", "SHA-512"] as const;
export type DigestName = (typeof DIGEST_NAMES)[number];

export interface Digest {
  update(chunk: Buffer): void;
  /** The digest in lower-case hexadecimal digits. Call it once, at the end. */
  hex(): string;
}

export function createDigest(name: DigestName): Digest {
  if (name === "CRC32") return new Crc32();
  const hash = createHash(name.replace("-", "").toLowerCase());
  return {
    update: (chunk) => {
      hash.update(chunk);
    },
    hex: () => hash.digest("hex"),
  };
}

class Crc32 implements Digest {
  #value = 0;

  update(chunk: Buffer): void {
    this.#value = crc32(chunk, this.#value);
  }

  hex(): string {
    return this.#value.toString(16).padStart(8, "0");
  }
}
