/** What a plan still has to look at: folders of both sides, and folders that only the other side has. */
import type { FtpError } from "../errors.ts";
import type { Listed } from "./side.ts";
import type { FolderStep, Step } from "./types.ts";

/** A listing that may fail; waiting for it never throws. */
export type Outcome = { readonly listed: Listed } | { readonly error: FtpError };

/** A folder of the source and what corresponds to it. */
export type PairNode = {
  readonly kind: "pair";
  readonly from: string;
  readonly path: string;
  readonly depth: number;
  /** Links that were followed on the way. */
  readonly links: number;
  /** Makes it; undefined: it is there already. */
  readonly make: FolderStep | undefined;
  readonly parent: PairNode | undefined;
  /** Whether the step that makes it has been given. */
  isMade: boolean;
  listings?: readonly [source: Promise<Outcome>, there: Promise<Outcome>];
};

/** A folder of the other side that is to go. */
export type ExtraNode = {
  readonly kind: "extra";
  readonly path: string;
  readonly why: "extra" | "in-the-way";
  readonly depth: number;
  readonly parent: ExtraNode | undefined;
  /** What comes into its place. */
  readonly next: readonly Step[];
  /** Something in it stays, and with it the folder. */
  isKept: boolean;
  listings?: readonly [there: Promise<Outcome>];
};

/** All that is in an extra folder has been looked at. */
export type EndNode = { readonly kind: "end"; readonly extra: ExtraNode };

export type PlanNode = PairNode | ExtraNode | EndNode;
