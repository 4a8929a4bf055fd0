/** Work on trees of the server: what is below a folder, what fits a pattern, and taking all of it away. */
import { compileGlob, hasGlob } from "../protocol/glob.ts";
import { FtpError, usageError } from "./errors.ts";
import type { Hub } from "./hub.ts";
import { WALK_DEPTH, WALK_WAITING } from "./limits.ts";
import { list } from "./list.ts";
import type { CallOptions, Entry, ListOptions, WalkOptions } from "./types.ts";

type Folder = { readonly path: string; readonly depth: number };

/** Folders are read ahead, as many at once as there are connections; entries come out folder by folder. */
export async function* walk(hub: Hub, path: string, options: WalkOptions = {}): AsyncGenerator<Entry> {
  const { depth: most = WALK_DEPTH, enter, parallel = hub.pool.most } = options;
  const waiting: Folder[] = [{ path, depth: 1 }];
  const ahead: { readonly folder: Folder; readonly entries: Promise<Entry[]> }[] = [];
  for (;;) {
    while (ahead.length < Math.max(parallel, 1)) {
      const folder = waiting.pop();
      if (folder === undefined) break;
      const entries = list(hub, folder.path, options).toArray();
      // Whoever stops early never looks at the rest.
      entries.catch(() => {});
      ahead.push({ folder, entries });
    }
    const [next] = ahead.splice(0, 1);
    if (next === undefined) return;
    const below: Folder[] = [];
    for (const entry of await next.entries) {
      yield entry;
      if (entry.type !== "directory" || next.folder.depth >= most || enter?.(entry) === false) continue;
      below.push({ path: entry.path, depth: next.folder.depth + 1 });
    }
    if (waiting.length + below.length > WALK_WAITING) {
      throw new FtpError("LIMIT", `${path} has more than ${WALK_WAITING} folders to go into`, { phase: "command" });
    }
    waiting.push(...below.toReversed());
  }
}

/** `*`, `?`, `[…]` and `{…}` in every part of the path, as the server side of Ferryman reads them. */
export async function* glob(hub: Hub, pattern: string, options: ListOptions = {}): AsyncGenerator<Entry> {
  const parts = hub
    .path(pattern)
    .split("/")
    .filter((part) => part !== "");
  yield* match(hub, { folder: "/", parts }, options);
}

async function* match(
  hub: Hub,
  { folder, parts }: { readonly folder: string; readonly parts: readonly string[] },
  options: ListOptions,
): AsyncGenerator<Entry> {
  const at = parts.findIndex((part) => hasGlob(part));
  // Parts without a pattern are taken as they are, but the last: it has to exist.
  const fixed = parts.slice(0, at === -1 ? Math.max(parts.length - 1, 0) : at);
  const base = fixed.length === 0 ? folder : `${folder === "/" ? "" : folder}/${fixed.join("/")}`;
  const [wanted, ...rest] = parts.slice(fixed.length);
  if (wanted === undefined) return;
  const fits = compileGlob(hub.names.encode(wanted));
  for await (const entry of list(hub, base, options)) {
    // As shells do: a star fits no hidden name.
    if (!fits(entry.raw) || (entry.name.startsWith(".") && !wanted.startsWith("."))) continue;
    if (rest.length === 0) yield entry;
    else if (entry.type === "directory") yield* match(hub, { folder: entry.path, parts: rest }, options);
    else if (entry.type !== "file") yield* matchBehind(hub, { folder: entry.path, parts: rest }, options);
  }
}

/** A link may lead to a folder, to a file, or to nothing. */
async function* matchBehind(...[hub, at, options]: Parameters<typeof match>): AsyncGenerator<Entry> {
  try {
    yield* match(hub, at, options);
  } catch (error) {
    if (!(error instanceof FtpError && ["NOT_FOUND", "UNSUPPORTED", "DENIED"].includes(error.code))) throw error;
  }
}

/**
 * @param path as the caller has it.
 * @returns how many files and folders were removed.
 * @throws {FtpError} USAGE for the top of the server, and for a path that leads elsewhere than it looks: `/old/..` is the
 *   folder above, which nobody means.
 */
export async function removeTree(hub: Hub, path: string, options: CallOptions = {}): Promise<number> {
  const parts = path.split("/").filter((part) => part !== "");
  const dots = parts.find((part) => part === "." || part === "..");
  if (dots !== undefined || parts.length === 0) {
    const why = dots === undefined ? "it names no folder below the top" : `"${dots}" in it leads elsewhere`;
    throw usageError(`"${path}" is not removed with all that is in it: ${why}`, "name the folder itself");
  }
  return await emptied(hub, hub.path(path), options);
}

async function emptied(hub: Hub, path: string, options: CallOptions): Promise<number> {
  let removed = 0;
  const entries = await list(hub, path, { ...options, hidden: true }).toArray();
  const work = entries.map((entry) => async (): Promise<void> => {
    if (entry.type === "directory") removed += await emptied(hub, entry.path, options);
    else {
      await hub.call(
        async (session, { signal }) =>
          await session.send(`DELE ${entry.path}`, { signal, what: `cannot remove ${entry.path}` }),
        options,
      );
      removed += 1;
    }
  });
  await inParallel(work, hub.pool.most);
  await hub.call(
    async (session, { signal }) => await session.send(`RMD ${path}`, { signal, what: `cannot remove ${path}` }),
    options,
  );
  return removed + 1;
}

/** Runs pieces of work, some at a time. @throws the first fault, when those under way have ended. */
async function inParallel(work: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const queue = [...work];
  const faults: unknown[] = [];
  const runner = async (): Promise<void> => {
    while (faults.length === 0) {
      const next = queue.pop();
      if (next === undefined) return;
      await next().catch((error: unknown) => faults.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.max(atOnce, 1) }, runner));
  if (faults.length > 0) throw faults[0];
}
