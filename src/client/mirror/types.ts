/** What a program says to a mirror and hears from it. */
import type { FtpError } from "../errors.ts";
import type { CallOptions, EntryTime } from "../types.ts";
import type { FilterSpec } from "./filter.ts";

/**
 * When a file that lies on both sides is copied again.
 * - "time+size": its size or its time differs (default). Times are compared as precisely as the coarser one is known.
 * - "size": its size differs.
 * - "hash": its digest differs, where the server has digests; else as "time+size", with a warning. Equal content with
 *   another time has its time set alone.
 * - "newer": the source is younger, whatever the sizes.
 */
export type CompareBy = "time+size" | "size" | "hash" | "newer";

/** What a mirror is. Paths are made absolute when it begins. */
export type MirrorSpec = {
  /** "down": the server's folder is the source; "up": the local one. */
  readonly direction: "down" | "up";
  /** Folder of the server. */
  readonly remote: string;
  /** Folder of this host. */
  readonly local: string;
  readonly compare?: CompareBy | undefined;
  /** Equal sizes whose times are whole hours apart, up to a day, are the same where the zone was assumed (LIST). Default false. */
  readonly zoneTolerance?: boolean | undefined;
  /** "missing": only what is not there yet; "existing": only what is there already. */
  readonly only?: "missing" | "existing" | undefined;
  readonly filter?: FilterSpec | undefined;
  /**
   * Removes what the source does not have. "after" (or true): once everything has been copied; "before": before anything
   * is. In both cases the whole source must have been listed without a failure; else nothing is removed. Default false.
   */
  readonly delete?: boolean | "after" | "before" | undefined;
  /** Removes what the filter leaves out, too. Without it that is protected. Default false. */
  readonly deleteExcluded?: boolean | undefined;
  /** If more than these would be removed, nothing is and the job stops with a LIMIT. Default: no such limit. */
  readonly maxDelete?: number | undefined;
  /** Lets an empty source folder empty the other side. Default false: it is an error. */
  readonly allowEmpty?: boolean | undefined;
  /**
   * "keep" (default): made again, where the target stays inside the mirrored folder and the other side can; "follow":
   * what they point to is copied; "skip".
   */
  readonly links?: "keep" | "follow" | "skip" | undefined;
  /**
   * "exact" (default): where a listing knows a time only to the minute or day, the server is asked for it; "listed": as
   * the listing says; false: times are not set.
   */
  readonly times?: "exact" | "listed" | false | undefined;
  /** Keeps permission bits: here without those of our umask, never more than 0777. Default true. */
  readonly modes?: boolean | undefined;
  /** Makes folders in which nothing would lie. Default true. */
  readonly emptyFolders?: boolean | undefined;
  /** Names that begin with a dot. Default true; false protects them on both sides. */
  readonly hidden?: boolean | undefined;
  /** Levels below the folder; 0: its own files alone. Default `MIRROR_DEPTH`. */
  readonly depth?: number | undefined;
  /** Names that differ in case alone fall together. Default: as the local file system does it. */
  readonly ignoreCase?: boolean | undefined;
  /** Looks at the source once more after each copy, and copies again what changed meanwhile. Default false. */
  readonly checkAfter?: boolean | undefined;
  /** What must agree after a copy. Default "size"; what was gone on with is compared by hash where the server can. */
  readonly verify?: "size" | "hash" | false | undefined;
  /** To a server: each file under a hidden name beside it, renamed when it is whole, as of `UploadOptions`. Default false. */
  readonly atomic?: boolean | undefined;
  /** Folder for the notes about unfinished uploads. false: none. Default: `ferryman/mirror` below `$XDG_STATE_HOME`. */
  readonly journal?: string | false | undefined;
};

export type PlanOptions = CallOptions & { readonly onEvent?: ((event: MirrorEvent) => void) | undefined };

export type RunOptions = PlanOptions & {
  /** Plans only. The report then counts what would be done. */
  readonly dryRun?: boolean | undefined;
  /** Steps at the same time. Default `MIRROR_PARALLEL`. */
  readonly parallel?: number | undefined;
  /** The first failure ends the job. Default false. */
  readonly failEarly?: boolean | undefined;
  /** How often one file is tried in all. Default `FILE_TRIES`. */
  readonly tries?: number | undefined;
  /** Further tries after passing failures, for all files together. Default `MIRROR_RETRIES`. */
  readonly retries?: number | undefined;
  /** Octets per second of each transfer. */
  readonly rate?: number | undefined;
};

/** Why a file is copied: it is not there, or what differs. */
export type CopyReason = "new" | "size" | "time" | "hash" | "newer" | "kind";

/** Brings one file over; "replace": something lies there. */
export type CopyStep = {
  readonly kind: "copy" | "replace";
  /** At the other side, from the mirrored folder, without a slash in front. As in every step. */
  readonly path: string;
  /** At the source; differs from `path` in Unicode form or case at most. */
  readonly from: string;
  readonly why: CopyReason;
  readonly size?: number | undefined;
  readonly modified?: EntryTime | undefined;
  readonly mode?: number | undefined;
  /** What lies there, where something does. */
  readonly before?: { readonly size?: number | undefined; readonly mode?: number | undefined } | undefined;
  /** Octets of an earlier try that are there already. */
  readonly resume?: number | undefined;
};
export type FolderStep = { readonly kind: "make-folder"; readonly path: string; readonly mode?: number | undefined };
export type TimeStep = { readonly kind: "set-time"; readonly path: string; readonly modified: EntryTime };
export type ModeStep = { readonly kind: "set-mode"; readonly path: string; readonly mode: number };
export type LinkStep = { readonly kind: "make-link"; readonly path: string; readonly target: string };
export type DeleteStep = {
  readonly kind: "delete-file" | "delete-folder";
  readonly path: string;
  /**
   * "extra": the source does not have it. "in-the-way": something of another kind must go there, so it is removed at
   * once. "left-behind": an unfinished file of an earlier mirror; it does not count for `maxDelete`.
   */
  readonly why: "extra" | "in-the-way" | "left-behind";
};
export type Step = CopyStep | FolderStep | TimeStep | ModeStep | LinkStep | DeleteStep;

/** How many steps of each kind, and what was left alone. */
export type Counts = Record<Step["kind"], number> & {
  /** Octets of the files to copy, as far as their sizes are known; what is there already left out. */
  octets: number;
  /** Files and links that are the same on both sides. */
  same: number;
  /** What the filter, `links` or `only` left out, and what is neither file, folder nor link. */
  excluded: number;
};

/** What went wrong with one path. */
export type Failure = { readonly path: string; readonly error: FtpError };

/** What would be done. Keeps many steps in a temporary file until it is disposed of. */
export interface Plan extends AsyncDisposable {
  /** As often as one likes, in the order of a run. */
  readonly steps: AsyncIterable<Step>;
  readonly counts: Readonly<Counts>;
  readonly warnings: readonly string[];
  /** Folders that could not be listed, files that cannot be brought over. */
  readonly failed: readonly Failure[];
  readonly failures: number;
  /** Why nothing would be removed though it was asked for. */
  readonly deletesHeld: string | undefined;
}

export type Report = {
  readonly copied: number;
  readonly replaced: number;
  /** Folders and links that were made. */
  readonly made: number;
  readonly linked: number;
  readonly timesSet: number;
  readonly modesSet: number;
  readonly deleted: number;
  /** The same on both sides. */
  readonly same: number;
  readonly excluded: number;
  /** Octets that moved. */
  readonly octets: number;
  readonly ms: number;
  /** At most `FAILURES_KEPT`; `failures` counts all. */
  readonly failed: readonly Failure[];
  readonly failures: number;
  /** At most `WARNINGS_KEPT`. */
  readonly warnings: readonly string[];
  /** What ended the job before its end: no room, too many deletions, no tries left, the first failure with `failEarly`. */
  readonly stopped: FtpError | undefined;
  readonly deletesHeld: string | undefined;
};

/** `path` is that of the other side; `bytes` are those that are there, `moved` those of them that moved in this try. */
export type MirrorEvent =
  | { readonly kind: "start"; readonly path: string; readonly size: number | undefined; readonly resumedAt: number }
  | { readonly kind: "progress"; readonly path: string; readonly bytes: number; readonly total: number | undefined }
  | {
      readonly kind: "done";
      readonly path: string;
      readonly bytes: number;
      readonly moved: number;
      readonly ms: number;
    }
  | {
      readonly kind: "retry";
      readonly path: string;
      readonly error: FtpError;
      readonly attempt: number;
      readonly waitMs: number;
    }
  | { readonly kind: "failed"; readonly path: string; readonly error: FtpError }
  | { readonly kind: "made" | "linked" | "set" | "deleted"; readonly path: string }
  | {
      readonly kind: "left-out";
      readonly path: string;
      readonly why: "same" | "excluded" | "link" | "special" | "only";
    }
  /** A folder was compared; `counts` is what has been planned so far. */
  | { readonly kind: "planned"; readonly path: string; readonly counts: Readonly<Counts> }
  | { readonly kind: "warning"; readonly text: string };

export interface Mirror {
  /** @throws {FtpError} where the mirrored folders themselves cannot be read, or the source is empty and would empty the other side. */
  plan(options?: PlanOptions): Promise<Plan>;
  /**
   * Does it. A failure of one file is in the report and the rest goes on; look at `failures` and `stopped`.
   * What was done stays done, so that the same call goes on where it was stopped.
   * @throws {FtpError} as `plan`; the signal's reason when it is aborted.
   */
  run(options?: RunOptions): Promise<Report>;
}
