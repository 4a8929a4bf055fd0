/** A mirror's specification with its defaults, checked and with absolute paths. */
import { type Stats, lstatSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type FtpError, usageError } from "../errors.ts";
import { stateFolder } from "../folders.ts";
import type { Client } from "../types.ts";
import { compileFilter, type Filter } from "./filter.ts";
import { MIRROR_DEPTH } from "./limits.ts";
import type { CompareBy, MirrorSpec } from "./types.ts";

export type Terms = {
  readonly direction: "down" | "up";
  readonly remote: string;
  readonly local: string;
  readonly compare: CompareBy;
  readonly zoneTolerance: boolean;
  readonly only: "missing" | "existing" | undefined;
  readonly filter: Filter;
  readonly delete: false | "after" | "before";
  readonly deleteExcluded: boolean;
  readonly maxDelete: number;
  readonly allowEmpty: boolean;
  readonly links: "keep" | "follow" | "skip";
  readonly times: "exact" | "listed" | false;
  readonly modes: boolean;
  /** Bits that no mode of ours gets: our umask for local files, none for the server's. */
  readonly umask: number;
  readonly emptyFolders: boolean;
  readonly hidden: boolean;
  readonly depth: number;
  readonly ignoreCase: boolean;
  readonly checkAfter: boolean;
  readonly verify: "size" | "hash" | false;
  /** Uploads take their name when they are whole. */
  readonly isAtomic: boolean;
  readonly journal: string | false;
};

/** @throws {FtpError} USAGE. */
export function termsOf(spec: MirrorSpec, client: Client): Terms {
  for (const [name, value] of [
    ["maxDelete", spec.maxDelete],
    ["depth", spec.depth],
  ] as const) {
    if (value !== undefined && !(value >= 0)) throw usage(`${name} must be 0 or more, and is ${value}`);
  }
  const local = resolve(spec.local);
  const isDown = spec.direction === "down";
  return {
    ...deletionTerms(spec),
    ...keptTerms(spec),
    direction: spec.direction,
    remote: absoluteRemote(spec.remote, client.info.home),
    local,
    compare: spec.compare ?? "time+size",
    zoneTolerance: spec.zoneTolerance ?? false,
    only: spec.only,
    filter: compileFilter(spec.filter),
    umask: isDown ? process.umask() : 0,
    hidden: spec.hidden ?? true,
    depth: Math.min(spec.depth ?? MIRROR_DEPTH, MIRROR_DEPTH),
    ignoreCase: spec.ignoreCase ?? (isDown && ignoresCase(local)),
    journal: spec.journal ?? join(stateFolder({ env: process.env }), "mirror"),
  };
}

function deletionTerms(spec: MirrorSpec): Pick<Terms, "delete" | "deleteExcluded" | "maxDelete" | "allowEmpty"> {
  return {
    delete: spec.delete === true ? "after" : (spec.delete ?? false),
    deleteExcluded: spec.deleteExcluded ?? false,
    maxDelete: spec.maxDelete ?? Infinity,
    allowEmpty: spec.allowEmpty ?? false,
  };
}

function keptTerms(
  spec: MirrorSpec,
): Pick<Terms, "links" | "times" | "modes" | "emptyFolders" | "checkAfter" | "verify" | "isAtomic"> {
  return {
    links: spec.links ?? "keep",
    times: spec.times ?? "exact",
    modes: spec.modes ?? true,
    emptyFolders: spec.emptyFolders ?? true,
    checkAfter: spec.checkAfter ?? false,
    verify: spec.verify ?? "size",
    isAtomic: spec.atomic ?? false,
  };
}

function absoluteRemote(path: string, home: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  if (/[\0\r\n]/.test(path)) throw usage("the server's folder holds a line end or NUL");
  const whole = path.startsWith("/") ? path : `${home}/${path === "." ? "" : path}`;
  return whole.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
}

/** Whether the file system takes a name in other case for the same: nothing is written to find that out. */
function ignoresCase(folder: string): boolean {
  for (let path = folder; path !== dirname(path); path = dirname(path)) {
    const name = basename(path);
    const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
    const stat = seen(path);
    if (stat === undefined || other === name) continue;
    const twin = seen(join(dirname(path), other));
    return twin !== undefined && twin.ino === stat.ino && twin.dev === stat.dev;
  }
  return false;
}

/** What cannot be looked at is told by whoever uses it. */
function seen(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

export function usage(what: string): FtpError {
  return usageError(`The mirror cannot begin: ${what}.`);
}
