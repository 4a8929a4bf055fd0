/** Puts this process under its terms, in the one order that works. It is whole only after the execve that must follow. */
import { closeSync, fstatSync, openSync } from "node:fs";
import { constants } from "node:os";
import { CAPABILITIES, type Capability, capabilitySet } from "../sys/capabilities.ts";
import { OPEN } from "../sys/ffi.ts";
import type { ProcessCalls } from "../sys/process-calls.ts";
import { nodePaths } from "./node-paths.ts";
import type { HostUser, Terms } from "./terms.ts";

/** Rights of linux/landlock.h. */
const RIGHT = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readFolder: 1 << 3,
  removeFolder: 1 << 4,
  removeFile: 1 << 5,
  makeFolder: 1 << 7,
  makeFile: 1 << 8,
  makeLink: 1 << 12,
  /** Link and rename from one folder to another. */
  refer: 1 << 13,
  truncate: 1 << 14,
} as const;
const READ = RIGHT.readFile | RIGHT.readFolder;
/** All but devices, sockets and FIFOs, which no client may make, and programs, which nobody starts from there. */
const READ_WRITE =
  READ |
  RIGHT.writeFile |
  RIGHT.removeFolder |
  RIGHT.removeFile |
  RIGHT.makeFolder |
  RIGHT.makeFile |
  RIGHT.makeLink |
  RIGHT.refer |
  RIGHT.truncate;
/** The rights that a rule for what is no folder may name. */
const OF_A_FILE = RIGHT.execute | RIGHT.writeFile | RIGHT.readFile | RIGHT.truncate;
/** How many rights a version of the interface knows; from the fifth on, all that we could name. */
const RIGHTS_KNOWN = [0, 13, 14, 15, 15, 16] as const;
/** Abstract sockets and signals stay within the confined process: from version 6 on. */
const SCOPES = 3;
/** Version 1 cannot allow a rename from one folder to another, which RNFR and RNTO need. */
export const LANDLOCK_NEEDED = 2;

type Rule = { readonly descriptor: number; readonly rights: number };

/**
 * What is irrevocable comes after all that still needs power: files are opened first, and the bounding set goes before
 * the identity.
 * @throws {Error} in words, when a term cannot be kept; the process must end then.
 */
export function confine(calls: ProcessCalls, terms: Terms): void {
  const version = calls.landlockVersion();
  const rules = terms.files !== undefined && version >= LANDLOCK_NEEDED ? fileRules(terms.files) : undefined;
  if (terms.files?.need === "require" && rules === undefined) {
    throw new Error(`this kernel has no Landlock that serves (version ${version}, ${LANDLOCK_NEEDED} is needed)`);
  }
  dropBounding(calls, terms.keepCapabilities);
  if (terms.user !== undefined) become(calls, terms.user, terms.keepCapabilities.length > 0);
  setCapabilities(calls, terms.keepCapabilities);
  // After the change of identity, which clears it; execve leaves it.
  if (terms.dieWithParent) calls.setParentDeathSignal(constants.signals.SIGKILL);
  calls.setNoNewPrivileges();
  process.umask(terms.umask);
  if (rules !== undefined) restrictFiles(calls, rules, version);
}

function dropBounding(calls: ProcessCalls, keep: readonly Capability[]): void {
  const kept = capabilitySet(keep);
  const mayDrop = (calls.capabilities().effective & capabilitySet(["SETPCAP"])) !== 0n;
  // Without the right to drop them they are out of reach all the same: no_new_privs follows.
  if (!mayDrop) return;
  for (let capability = 0; ; capability++) {
    const bounding = calls.isBounding(capability);
    if (bounding === undefined) return;
    if (bounding && ((kept >> BigInt(capability)) & 1n) === 0n) calls.dropBounding(capability);
  }
}

function become(calls: ProcessCalls, user: HostUser, keepCapabilities: boolean): void {
  calls.clearGroups();
  calls.setGroup(user.gid);
  if (keepCapabilities) calls.setKeepCapabilities(true);
  calls.setUser(user.uid);
}

/** Root has after execve what the bounding set leaves; everybody else only what is ambient. */
function setCapabilities(calls: ProcessCalls, keep: readonly Capability[]): void {
  const held = calls.capabilities().permitted & capabilitySet(keep);
  const isRoot = process.geteuid?.() === 0;
  calls.clearAmbient();
  calls.setCapabilities({ effective: held, permitted: held, inheritable: isRoot ? 0n : held });
  if (isRoot) return;
  for (const [number] of CAPABILITIES.entries()) {
    if (((held >> BigInt(number)) & 1n) === 1n) calls.raiseAmbient(number);
  }
}

/** Opened with all the power there is: an ancestor that the later user may not enter is no obstacle to a rule. */
function fileRules({ readOnly, readWrite, roots }: NonNullable<Terms["files"]>): readonly Rule[] {
  const own = nodePaths();
  return [
    ...own.read.map((path) => pathRule(path, READ)),
    ...own.execute.map((path) => pathRule(path, READ | RIGHT.execute)),
    ...own.write.map((path) => pathRule(path, RIGHT.readFile | RIGHT.writeFile)),
    ...readOnly.map((path) => pathRule(path, READ)),
    ...readWrite.map((path) => pathRule(path, READ_WRITE)),
    ...roots.map(({ descriptor, write }) => ({ descriptor, rights: write ? READ_WRITE : READ })),
  ];
}

function pathRule(path: string, rights: number): Rule {
  try {
    return { descriptor: openSync(path, OPEN.path), rights };
  } catch (error) {
    throw new Error(`a path of the terms cannot be opened: ${path}`, { cause: error });
  }
}

function restrictFiles(calls: ProcessCalls, rules: readonly Rule[], version: number): void {
  const handled = 2 ** (RIGHTS_KNOWN[version] ?? 16) - 1;
  const ruleSet = calls.landlockRules({ files: handled, scopes: version >= 6 ? SCOPES : 0 });
  for (const { descriptor, rights } of rules) {
    const allowed = fstatSync(descriptor).isDirectory() ? rights : rights & OF_A_FILE;
    calls.landlockAllow(ruleSet, descriptor, allowed & handled);
  }
  calls.landlockRestrict(ruleSet);
  closeSync(ruleSet);
}
