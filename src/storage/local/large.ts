/**
 * Large files cost time when they come and go: a file system frees the blocks of a gigabyte in a tenth of a second, and
 * ext4 starts to write a new file when it takes an old one's name. Both happen on other threads here.
 */
import { close } from "node:fs";
import type { ByteString } from "../../base/bytes.ts";
import type { HostFolder } from "./host.ts";

/** Octets from which a file counts as large: a smaller one is freed in well under a millisecond. */
export const LARGE_FILE = 4 * 1024 * 1024;

/** Does `act`, which takes `name` away from a file of that size; what that frees is freed elsewhere. */
export function freeingElsewhere<Result>(
  { folder, name, size }: { readonly folder: HostFolder; readonly name: ByteString; readonly size: number | bigint },
  act: () => Result,
): Result {
  // While somebody holds the file its blocks stay; the one who lets go last waits for them to be freed.
  const held = size >= LARGE_FILE ? folder.hold?.(name) : undefined;
  try {
    return act();
  } finally {
    if (held !== undefined) close(held, () => {});
  }
}
