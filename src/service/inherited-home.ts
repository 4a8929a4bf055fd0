/** Opens homes through the folders that the broker has opened for this worker: their ancestors may be closed to it. */
import { relative, join } from "node:path";
import type { Account } from "../account/account.ts";
import { inheritedRoots } from "../jail/roots.ts";
import { type OpenStorage, openHomeAt } from "../workspace/storages.ts";

export const openInherited: OpenStorage = async (account: Account) => openHomeAt(account, reachable(account.home));

/** The way to a home: below the nearest root that holds it, else as it is. */
function reachable(home: string): string {
  const roots = inheritedRoots().toSorted((one, other) => other.path.length - one.path.length);
  for (const { path, at } of roots) {
    const below = relative(path, home);
    if (below === "") return at;
    if (!below.startsWith("..")) return join(at, below);
  }
  if (roots.length > 0) throw new Error(`the home ${home} was not served when the workers began: reload (SIGHUP)`);
  return home;
}
