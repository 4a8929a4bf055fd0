/** From the homes of accounts to the few folders that workers are given. */
import { dirname } from "node:path";
import { ROOTS_LIMIT } from "../jail/limits.ts";
import type { RootWish } from "../jail/roots.ts";
import type { Home } from "./accounts.ts";

/**
 * Each folder once, for writing if anybody may write there; those below another that allows as much are part of it.
 * Where that is still more than a worker can be given, the folders with the most homes in them stand for those.
 */
export function rootsOf(
  homes: readonly Pick<Home, "folder" | "writes">[],
  limit: number = ROOTS_LIMIT,
): readonly RootWish[] {
  const byPath = new Map<string, boolean>();
  for (const { folder, writes } of homes) byPath.set(folder, (byPath.get(folder) ?? false) || writes);
  let roots = outermost(byPath);
  while (roots.size > limit) {
    const [parent, writes] = fullestParent(roots);
    roots = outermost(new Map([...roots, [parent, writes || (roots.get(parent) ?? false)]]));
  }
  return [...roots].map(([path, writes]) => ({ path, access: writes ? "write" : "read" }));
}

type Roots = ReadonlyMap<string, boolean>;

function outermost(roots: Roots): Roots {
  return new Map(
    [...roots].filter(([path, writes]) => !ancestorsOf(path).some((above) => covers(roots.get(above), writes))),
  );
}

function covers(above: boolean | undefined, writes: boolean): boolean {
  return above === true || (above === false && !writes);
}

function ancestorsOf(path: string): readonly string[] {
  const all: string[] = [];
  for (let at = path; at !== dirname(at); at = dirname(at)) all.push(dirname(at));
  return all;
}

function fullestParent(roots: Roots): readonly [path: string, writes: boolean] {
  const counts = new Map<string, { count: number; writes: boolean }>();
  for (const [path, writes] of roots) {
    if (path === "/") continue;
    const { count = 0, writes: others = false } = counts.get(dirname(path)) ?? {};
    counts.set(dirname(path), { count: count + 1, writes: others || writes });
  }
  let best: readonly [string, boolean] = ["/", true];
  let most = 0;
  for (const [path, { count, writes }] of counts) {
    if (count <= most) continue;
    best = [path, writes];
    most = count;
  }
  return best;
}
