/**
 * Folders that the broker opens and a worker serves. A descriptor reaches a folder below ancestors that the worker's
 * user may not enter; the worker names it `/proc/self/fd/N`.
 */
import { closeSync, fstatSync, openSync, realpathSync } from "node:fs";
import { normalize } from "node:path";
import { z } from "zod";
import { bytesOfText } from "../base/bytes.ts";
import { faultMessage } from "../base/fault-text.ts";
import { loadSystemCalls, OPEN, RESOLVE } from "../sys/ffi.ts";
import { ROOTS_LIMIT } from "./limits.ts";

/** The variable in which a worker finds its roots. */
export const ROOTS_VARIABLE = "FERRYMAN_ROOTS";

export type RootAccess = "read" | "write";
export type RootWish = {
  readonly path: string;
  readonly access: RootAccess;
  /**
   * No part of the path may be a symbolic link. For folders below which users may make links, such as homes: the broker
   * enters where they may not. Default false: the operator's own links lead to his folders.
   */
  readonly noLinks?: boolean;
};
export type OpenRoot = RootWish & { readonly descriptor: number };
/** Open until disposed; each worker that is started with them has its own copies. */
export type OpenRoots = Disposable & { readonly list: readonly OpenRoot[] };

/** A root as its worker has it: `path` names it in settings and logs, `at` opens it. */
export type InheritedRoot = { readonly path: string; readonly access: RootAccess; readonly at: string };

/** Relative to the current folder; fcntl.h. */
const AT_FDCWD = -100;

const INHERITED = z.array(
  z.strictObject({ path: z.string(), access: z.enum(["read", "write"]), descriptor: z.int().min(3) }),
);

/** @throws {Error} in words: too many, or one that is no folder or cannot be opened. Linux alone. */
export function openRoots(wishes: readonly RootWish[]): OpenRoots {
  if (wishes.length > ROOTS_LIMIT) {
    throw new Error(
      `${wishes.length} folders are too many for one worker: at most ${ROOTS_LIMIT}; serve a parent folder`,
    );
  }
  const list: OpenRoot[] = [];
  const close = (): void => {
    for (const { descriptor } of list.splice(0)) closeSync(descriptor);
  };
  try {
    for (const wish of wishes) {
      list.push({ ...wish, descriptor: openFolder(wish) });
    }
  } catch (error) {
    close();
    throw new Error(`cannot open a served folder: ${faultMessage(error)}`, { cause: error });
  }
  return { list, [Symbol.dispose]: close };
}

function openFolder({ path, noLinks = false }: RootWish): number {
  const flags = OPEN.path | OPEN.directory;
  if (!noLinks) return openSync(path, flags);
  const calls = loadSystemCalls();
  if (calls !== undefined) {
    const resolve = RESOLVE.noSymlinks | RESOLVE.noMagicLinks;
    return calls.openat2(AT_FDCWD, bytesOfText(path), { flags: flags | OPEN.closeOnExec, resolve });
  }
  if (realpathSync(path) !== normalize(path).replace(/(?<=.)\/+$/, ""))
    throw new Error(`${path} goes through a symbolic link`);
  return openSync(path, flags);
}

/** For the environment of a worker that has the roots at consecutive descriptors. */
export function rootsVariable(roots: readonly RootWish[], first: number): string {
  return JSON.stringify(roots.map(({ path, access }, index) => ({ path, access, descriptor: first + index })));
}

/**
 * The roots that this worker was started with; none if it was started without.
 * @throws {Error} when the variable is not what the broker writes, or a descriptor is no folder.
 */
export function inheritedRoots(environment: NodeJS.ProcessEnv = process.env): readonly InheritedRoot[] {
  const roots = INHERITED.parse(JSON.parse(environment[ROOTS_VARIABLE] ?? "[]"));
  return roots.map(({ path, access, descriptor }) => {
    if (!fstatSync(descriptor).isDirectory()) throw new Error(`descriptor ${descriptor} of ${path} is no folder`);
    return { path, access, at: `/proc/self/fd/${descriptor}` };
  });
}
