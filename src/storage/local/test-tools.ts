/** For the tests of the local storage: folders of their own, and every jail that this host can show. */
import { existsSync, openSync, readdirSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSystemCalls, OPEN } from "../../sys/ffi.ts";
import { LocalAdapter, type LocalOptions, type LocalStorage, openLocalStorage } from "./local.ts";
import { KernelJail } from "./kernel.ts";
import { PortableJail } from "./portable.ts";

/** With what only tests change: sizes and file systems that are not at hand. */
type TestOptions = LocalOptions & { readonly appendCopyLimit?: number };
export type OpenStorage = (root: string, options: TestOptions) => Promise<LocalStorage>;

export async function temporaryFolder(): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "ferryman-storage-")));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

const openKernel: OpenStorage = (root, options) => openLocalStorage(root, { ...options, jail: "kernel" });
const openPortable: OpenStorage = (root, options) => openLocalStorage(root, { ...options, jail: "portable" });

/** The kernel's jail on a file system without O_TMPFILE. */
const openKernelNamed: OpenStorage = async (root, options) => {
  const calls = loadSystemCalls();
  if (calls === undefined) throw new Error("no foreign functions here");
  const jail = new KernelJail(calls, openSync(root, OPEN.path | OPEN.directory), options.followLinks ?? true);
  return new LocalAdapter(jail, { ...options, nameless: false });
};

/** The portable jail as it is without /proc. */
const openByPaths: OpenStorage = async (root, options) =>
  new LocalAdapter(new PortableJail(root, options.followLinks ?? true, "paths"), options);

const hasKernelJail = loadSystemCalls() !== undefined;

/** The jails that hold against a race; without /proc the portable one only notices it. */
export const RACE_SAFE_JAILS: readonly (readonly [string, OpenStorage])[] = [
  ...(hasKernelJail ? [["local, kernel", openKernel] as const] : []),
  ...(existsSync("/proc/self/fd") ? [["local, portable", openPortable] as const] : []),
];

export const JAILS: readonly (readonly [string, OpenStorage])[] = [
  ...RACE_SAFE_JAILS,
  ...(hasKernelJail ? [["local, kernel, named temporaries", openKernelNamed] as const] : []),
  ["local, portable by paths", openByPaths],
];

/** All paths below `folder` that match, links not followed. */
export function hiddenIn(folder: string, pattern: RegExp): string[] {
  const found: string[] = [];
  const waiting = [""];
  for (let below; (below = waiting.pop()) !== undefined;) {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = join(below, entry.name);
      if (pattern.test(path)) found.push(path);
      if (entry.isDirectory()) waiting.push(path);
    }
  }
  return found;
}
