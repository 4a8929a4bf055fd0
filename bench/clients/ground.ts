/** The files of the clients' run: what the servers serve, its likeness here, and places that are empty for each round. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  FRESH_FOLDER,
  type Ground,
  MEBIBYTE,
  QUICK as SERVER_SIZES,
  SMALL_FILE,
  inFreshFolder,
  makeFolder,
  prepare as prepareServers,
  smallName,
  writeContent,
} from "../ground.ts";
import { ProgramError, run } from "../processes.ts";

export type ClientSizes = {
  /** Octets of the large file. */
  readonly big: number;
  /** Of the file in segments. */
  readonly segmented: number;
  /** Small files that go to and from vsftpd, from and to ours, and over TLS. */
  readonly files: number;
  readonly ownFiles: number;
  readonly secureFiles: number;
  /** Small files that go the long way. */
  readonly hauled: number;
  /** Files of the tree that is mirrored, and its folders. */
  readonly tree: number;
  readonly treeFolders: number;
};

export const FULL: ClientSizes = {
  big: 1_024 * MEBIBYTE,
  segmented: 256 * MEBIBYTE,
  files: 5_000,
  ownFiles: 2_000,
  secureFiles: 200,
  hauled: 100,
  tree: 100_000,
  treeFolders: 100,
};
export const QUICK: ClientSizes = {
  big: 128 * MEBIBYTE,
  segmented: 64 * MEBIBYTE,
  files: 400,
  ownFiles: 400,
  secureFiles: 40,
  hauled: 25,
  tree: 10_000,
  treeFolders: 10,
};

/** How old the files of the tree are, in seconds: listings tell times of this year by the minute. */
const AGE_S = 10 * 24 * 3_600;

export type ClientGround = {
  readonly ground: Ground;
  readonly sizes: ClientSizes;
  /** What the clients read and write here: a tmpfs where it may be mounted. */
  readonly here: string;
};

/** Folders of the server in which clients may write; the second is a tmpfs where it may be mounted. */
export const TREE = "/tree";

export async function prepare(
  folder: string,
  { sizes, ownMounts }: { readonly sizes: ClientSizes; readonly ownMounts: boolean },
): Promise<ClientGround> {
  const none = { big: 0, large: 0, middle: 0, text: 0, files: 0, entries: 0 };
  const ground = await prepareServers(folder, { sizes: { ...SERVER_SIZES, ...none }, ownMounts });
  const here = join(folder, "here");
  mkdirSync(here);
  if (ownMounts) await run("mount", ["-t", "tmpfs", "-o", "mode=0700", "tmpfs", here]);
  const chunk = randomBytes(MEBIBYTE);
  writeContent(join(ground.root, "big.bin"), sizes.big, chunk);
  writeContent(join(ground.root, "segmented.bin"), sizes.segmented, chunk);
  await run("cp", [join(ground.root, "big.bin"), join(here, "big.bin")]);
  makeTree(join(ground.root, TREE), sizes);
  await run("cp", ["-a", join(ground.root, TREE), join(here, "tree")]);
  return { ground, sizes, here };
}

function makeTree(root: string, { tree, treeFolders }: ClientSizes): void {
  const time = Math.floor(Date.now() / 1_000) - AGE_S;
  const each = Math.ceil(tree / treeFolders);
  for (let folder = 0; folder < treeFolders; folder += 1) {
    const path = join(root, `folder-${folder}`);
    mkdirSync(path, { recursive: true });
    for (let at = 0; at < each; at += 1) {
      const file = join(path, smallName(at));
      writeFileSync(file, "");
      utimesSync(file, time, time);
    }
    utimesSync(path, time, time);
  }
}

/** A folder of so many small files that the servers serve, made when it is first asked for. @returns its path there. */
export function servedFolder({ ground: { root } }: ClientGround, count: number): string {
  makeSmall(join(root, `small-${count}`), count);
  return `/small-${count}`;
}

/** The same here. */
export function localFolder({ here }: ClientGround, count: number): string {
  const path = join(here, `small-${count}`);
  makeSmall(path, count);
  return path;
}

function makeSmall(folder: string, count: number): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  makeFolder(folder, { count, content: randomBytes(SMALL_FILE) });
}

/** An empty folder here, for what is downloaded. */
export function emptyFolder({ here }: ClientGround): string {
  const path = join(here, "out");
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  return path;
}

/** An empty folder of the server, a new one each time. @returns its path there. */
export function freshFolder({ ground }: ClientGround): string {
  return inFreshFolder(ground, FRESH_FOLDER);
}

/** @throws {ProgramError} unless a file has just so many octets: clients end well with less now and then. */
export function demandFile(path: string, octets: number): void {
  const found = statSync(path, { throwIfNoEntry: false })?.size;
  if (found !== octets) throw new ProgramError(`ended well, but its file has ${found ?? "no"} of ${octets} octets`);
}

/** @throws {ProgramError} unless a folder has so many small files, each of them whole. */
export function demandFiles(folder: string, count: number): void {
  const whole = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (each) => each.isFile() && statSync(join(each.parentPath, each.name)).size === SMALL_FILE,
  );
  if (whole.length !== count)
    throw new ProgramError(`ended well, but ${whole.length} of ${count} files are there whole`);
}
