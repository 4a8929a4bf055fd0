/**
 * Names of files on their way. That of a large file is made of what its source is, its size and time: after an
 * interruption the same source finds it again, and a source that was changed meanwhile does not.
 */
import { createHash, randomBytes } from "node:crypto";
import { PART_STALE_MS, RESUME_LEAST } from "./limits.ts";
import type { Item } from "./side.ts";

const KEYED = /^\.ferryman-[0-9a-f]{24}\.part$/;
const OWNED = /^\.ferryman-(\d{1,10})-[0-9a-f]{16}\.part$/;

/** Whether a name is that of an unfinished file: neither side ever copies one. */
export function isPart(name: string): boolean {
  return name.startsWith(".ferryman-") && (KEYED.test(name) || OWNED.test(name));
}

/**
 * The name under which a file can be gone on with.
 * @param source says which tree it comes from. @returns undefined for small files, and those that could be others by now.
 */
export function resumablePart(source: string, { name, size, modified }: Pick<Item, "name" | "size" | "modified">): string | undefined {
  if (size === undefined || size < RESUME_LEAST || modified === undefined) return undefined;
  const facts = JSON.stringify([source, name, size, modified.ms, modified.precision]);
  return `.ferryman-${createHash("sha256").update(facts).digest("hex").slice(0, 24)}.part`;
}

/** A name that nobody else has or can foresee. */
export function ownPart(): string {
  return `.ferryman-${process.pid}-${randomBytes(8).toString("hex")}.part`;
}

/**
 * Whether an unfinished file is of no use any more.
 * @param terms.wanted the parts with which files of this folder will be gone on with.
 * @param terms.ms when it was written last, since 1970.
 */
export function isLeftBehind(
  part: string,
  { wanted, ms, now }: { readonly wanted: ReadonlySet<string>; readonly ms: number; readonly now: number },
): boolean {
  const owner = OWNED.exec(part)?.[1];
  if (owner === undefined) return !wanted.has(part);
  if (Number(owner) === process.pid) return false;
  return !isRunning(Number(owner)) || now - ms > PART_STALE_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
