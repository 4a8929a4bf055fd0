/**
 * Where a link that a mirror makes may lead: nowhere out of the mirrored folder, or a file that follows would be
 * written outside, and whoever reads the copy would read what is not in it (attack 64).
 */
import { parentOf } from "./side.ts";

/**
 * A link's target as it may stand at the other side: relative, its `..` in front only. The folder of the link is a real
 * one, so these are exact, and each further part leads down or over a link that keeps to this rule as well.
 * @param root the source's folder, as its absolute targets begin. @param path of the link, from the mirrored folder.
 * @returns undefined if it would lead out.
 */
export function targetInside(target: string, path: string, root: string): string | undefined {
  const relative = target.startsWith("/") ? fromRoot(target, path, root) : target;
  if (relative === undefined || relative === "" || relative.includes("\0")) return undefined;
  const parts = relative.split("/").filter((part) => part !== "" && part !== ".");
  const down = parts.findIndex((part) => part !== "..");
  const up = down === -1 ? parts.length : down;
  const levels = parentOf(path) === "" ? 0 : parentOf(path).split("/").length;
  if (up > levels || parts.slice(up).includes("..")) return undefined;
  return parts.length === 0 ? "." : relative;
}

/** An absolute target below the root, seen from the link. */
function fromRoot(target: string, path: string, root: string): string | undefined {
  const base = root.endsWith("/") ? root : `${root}/`;
  if (target !== root && !target.startsWith(base)) return undefined;
  const levels = path.split("/").length - 1;
  return "../".repeat(levels) + target.slice(base.length).replace(/^\/+/, "") || ".";
}
