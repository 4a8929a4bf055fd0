/**
 * Under which terms a program is launched: the broker writes them, the launcher reads them once more. Checked by hand,
 * as loading zod would be most of what a launcher does, and each worker waits for one.
 */
import { CAPABILITIES, type Capability } from "../sys/capabilities.ts";
import { ROOTS_LIMIT } from "./limits.ts";

/** The variable that carries the terms to the launcher. */
export const TERMS_VARIABLE = "FERRYMAN_LAUNCH";
/** Set for a program that has re-executed itself: its process id, and the capabilities that it kept. */
export const CONFINED_VARIABLE = "FERRYMAN_CONFINED";
/** Terms that cannot be kept: EX_NOPERM of sysexits.h. The reason stands on the error output. */
export const LAUNCH_FAILED = 77;

/** Never root: ids from 1 on, and not the -1 that means "leave as it is". */
const [LEAST_ID, MOST_ID] = [1, 4_294_967_294];
/** Far above what the kernel lets one process have open. */
const MOST_DESCRIPTOR = 65_535;

export type HostUser = { readonly uid: number; readonly gid: number };

export type FilesTerms = {
  /** Without Landlock in the kernel: "auto" goes on, "require" fails. */
  readonly need: "auto" | "require";
  /** Paths below which files may be read, besides what Node itself needs. */
  readonly readOnly: readonly string[];
  readonly readWrite: readonly string[];
  /** Folders that are open already, by their descriptor. */
  readonly roots: readonly { readonly descriptor: number; readonly write: boolean }[];
};

export type Terms = {
  /** Absent: the identity stays. */
  readonly user?: HostUser | undefined;
  readonly keepCapabilities: readonly Capability[];
  /** Absent: all files that the identity may touch. */
  readonly files?: FilesTerms | undefined;
  readonly umask: number;
  /** Ends with the process that started it. */
  readonly dieWithParent: boolean;
  /** Descriptors besides 0, 1 and 2 that the program gets. */
  readonly descriptors: readonly number[];
  /** The one of `descriptors` that is Node's channel. */
  readonly channel?: number | undefined;
  readonly nodeArguments: readonly string[];
  readonly script: string;
  readonly scriptArguments: readonly string[];
};

const TERM_NAMES = [
  "user",
  "keepCapabilities",
  "files",
  "umask",
  "dieWithParent",
  "descriptors",
  "channel",
  "nodeArguments",
  "script",
  "scriptArguments",
];

/** @throws {Error} with the name of the term and what is wrong with it; unknown terms are wrong too. */
export function checkedTerms(value: unknown): Terms {
  const given = members(value, "the terms", TERM_NAMES);
  return {
    user: given("user") === undefined ? undefined : hostUser(given("user")),
    keepCapabilities: list(given("keepCapabilities"), "keepCapabilities", capability),
    files: given("files") === undefined ? undefined : filesTerms(given("files")),
    umask: whole(given("umask"), "umask", [0, 0o777]),
    dieWithParent: truth(given("dieWithParent"), "dieWithParent"),
    descriptors: list(given("descriptors"), "descriptors", descriptor),
    channel: given("channel") === undefined ? undefined : descriptor(given("channel"), "channel"),
    nodeArguments: list(given("nodeArguments"), "nodeArguments", text),
    script: path(given("script"), "script"),
    scriptArguments: list(given("scriptArguments"), "scriptArguments", text),
  };
}

function hostUser(value: unknown): HostUser {
  const given = members(value, "user", ["uid", "gid"]);
  return {
    uid: whole(given("uid"), "user.uid", [LEAST_ID, MOST_ID]),
    gid: whole(given("gid"), "user.gid", [LEAST_ID, MOST_ID]),
  };
}

function filesTerms(value: unknown): FilesTerms {
  const given = members(value, "files", ["need", "readOnly", "readWrite", "roots"]);
  const need = given("need");
  if (need !== "auto" && need !== "require") throw new Error("files.need is neither auto nor require");
  const roots = list(given("roots"), "files.roots", root);
  if (roots.length > ROOTS_LIMIT) throw new Error(`files.roots are more than ${ROOTS_LIMIT}`);
  return {
    need,
    readOnly: list(given("readOnly"), "files.readOnly", path),
    readWrite: list(given("readWrite"), "files.readWrite", path),
    roots,
  };
}

function root(value: unknown, name: string): FilesTerms["roots"][number] {
  const given = members(value, name, ["descriptor", "write"]);
  return {
    descriptor: descriptor(given("descriptor"), `${name}.descriptor`),
    write: truth(given("write"), `${name}.write`),
  };
}

/** @returns what reads one member. Members that nobody knows may be a term that somebody relies on. */
function members(value: unknown, name: string, known: readonly string[]): (key: string) => unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${name} is no object`);
  const entries = new Map<string, unknown>(Object.entries(value));
  for (const key of entries.keys()) if (!known.includes(key)) throw new Error(`${name}: there is no term ${key}`);
  return (key) => entries.get(key);
}

function list<T>(value: unknown, name: string, check: (each: unknown, name: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw new Error(`${name} is no list`);
  return value.map((each: unknown, index) => check(each, `${name}.${index}`));
}

function whole(value: unknown, name: string, [least, most]: readonly [number, number]): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name} is no whole number from ${least} to ${most}`);
}

function descriptor(value: unknown, name: string): number {
  return whole(value, name, [0, MOST_DESCRIPTOR]);
}

function truth(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") throw new Error(`${name} is neither true nor false`);
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== "string") throw new Error(`${name} is no text`);
  if (value.includes("\0")) throw new Error(`${name} holds a NUL`);
  return value;
}

function path(value: unknown, name: string): string {
  const found = text(value, name);
  if (!found.startsWith("/")) throw new Error(`${name} is no absolute path`);
  return found;
}

function capability(value: unknown, name: string): Capability {
  const found = CAPABILITIES.find((each) => each === value);
  if (found === undefined) throw new Error(`${name} is no capability`);
  return found;
}
