/** What is to be done about one name of a folder, by what each side has under it. */
import { FtpError } from "../errors.ts";
import { LINKS_DEEP } from "../limits.ts";
import type { Abilities } from "./abilities.ts";
import { type CompareTerms, differenceOf, timesAgree } from "./compare.ts";
import { MIRROR_DEPTH } from "./limits.ts";
import { targetInside } from "./link-target.ts";
import type { Pair } from "./names.ts";
import type { Notes } from "./notes.ts";
import type { ExtraNode, PairNode, PlanNode } from "./plan-nodes.ts";
import type { EntryTime } from "../types.ts";
import { type Item, joined } from "./side.ts";
import type { Terms } from "./terms.ts";
import type { CopyReason, CopyStep, Counts, DeleteStep, MirrorEvent, Step } from "./types.ts";

export type Deciding = {
  readonly terms: Terms;
  readonly abilities: Abilities;
  readonly notes: Notes;
  readonly counts: Counts;
  /** Digests of both sides. @returns undefined where there are none to compare. */
  readonly hashesAgree: (from: string, path: string) => Promise<boolean | undefined>;
  /**
   * Whether the other side can set times: tried on a file that will be copied if it can, with the time that it has.
   * undefined: it is known, or nothing may be tried.
   */
  readonly proveTimes: ((path: string, modified: EntryTime) => Promise<void>) | undefined;
  /** Octets of an earlier try. */
  readonly unfinished: (from: string, source: Item, place: Place) => number | undefined;
  /** Permission bits that a folder or file of ours shall have; undefined: whatever comes about. */
  readonly modeOf: (item: Item) => number | undefined;
};

export type Place = {
  readonly path: string;
  readonly there: Item | undefined;
  readonly parts: ReadonlyMap<string, number>;
};

/** Steps for now, and folders to look at next. */
export type Decision = { readonly steps: readonly Step[]; readonly next: readonly PlanNode[] };

const NOTHING: Decision = { steps: [], next: [] };

type Case = {
  readonly node: PairNode;
  readonly source: Item;
  readonly there: Item | undefined;
  readonly from: string;
  readonly path: string;
  readonly parts: ReadonlyMap<string, number>;
};

/**
 * @param folder.mayDelete the source's listing is whole. @param folder.parts unfinished files of this folder here.
 * @returns a promise only where digests have to be asked for: a folder of a million names needs no million of them.
 */
export function decide(
  { source, there }: Pair,
  {
    node,
    parts,
    mayDelete,
  }: { readonly node: PairNode; readonly parts: ReadonlyMap<string, number>; readonly mayDelete: boolean },
  deciding: Deciding,
): Decision | Promise<Decision> {
  const { terms } = deciding;
  if (source === undefined) {
    return there === undefined || !mayDelete ? NOTHING : extraDecision(joined(node.path, there.name), there, deciding);
  }
  const from = joined(node.from, source.name);
  const path = joined(node.path, there?.name ?? source.name);
  if (!isTaken(from, source, terms)) {
    leave(path, "excluded", deciding);
    const goes = there !== undefined && terms.deleteExcluded && mayDelete;
    return goes ? extraDecision(path, there, deciding) : NOTHING;
  }
  const one: Case = { node, source, there, from, path, parts };
  switch (source.type) {
    case "directory":
      return folderDecision(one, deciding);
    case "file":
      return fileDecision(one, deciding);
    case "link":
      return linkDecision(one, deciding);
    default:
      return leave(path, "special", deciding);
  }
}

/** Whether the mirror looks at it at all. */
function isTaken(path: string, item: Item, { filter, hidden }: Terms): boolean {
  return (hidden || !item.name.startsWith(".")) && filter.takes(path, item);
}

/** What only the other side has. */
export function extraDecision(path: string, there: Item, { terms, notes, counts }: Deciding): Decision {
  if (terms.delete === false) return NOTHING;
  if (!terms.deleteExcluded && !isTaken(path, there, terms)) return leave(path, "excluded", { notes, counts });
  if (there.type === "directory") return { steps: [], next: [extraNode(path, "extra")] };
  return { steps: [{ kind: "delete-file", path, why: "extra" }], next: [] };
}

function extraNode(path: string, why: "extra" | "in-the-way", next: readonly Step[] = []): ExtraNode {
  return { kind: "extra", path, why, depth: path.split("/").length, parent: undefined, next, isKept: false };
}

function leave(
  path: string,
  why: Extract<MirrorEvent, { kind: "left-out" }>["why"],
  { notes, counts }: Pick<Deciding, "notes" | "counts">,
): Decision {
  if (why === "same") counts.same += 1;
  else counts.excluded += 1;
  notes.emit({ kind: "left-out", path, why });
  return NOTHING;
}

/** By `only`: whether what lies there, or nothing, lets something come. */
function isAsked(there: Item | undefined, { only }: Terms): boolean {
  return only === undefined || (only === "missing") === (there === undefined);
}

function folderDecision({ node, source, there, from, path }: Case, deciding: Deciding): Decision {
  const { terms, notes } = deciding;
  const depth = node.depth + 1;
  const links = node.links + (source.target === undefined ? 0 : 1);
  if (depth > MIRROR_DEPTH || links > LINKS_DEEP) {
    const what = depth > MIRROR_DEPTH ? `${MIRROR_DEPTH} folders` : `${LINKS_DEEP} links`;
    notes.fail(path, refusal("LIMIT", `${from} is left out: more than ${what} lead to it.`));
    return NOTHING;
  }
  if (depth > terms.depth) return leave(path, "excluded", deciding);
  const isThere = there?.type === "directory";
  if (!isThere && !isAsked(there, terms)) return leave(path, "only", deciding);
  const mode = deciding.modeOf(source);
  const make = isThere ? undefined : ({ kind: "make-folder", path, mode } as const);
  const next: PairNode = { kind: "pair", from, path, depth, links, make, parent: node, isMade: isThere };
  if (isThere) return { steps: modeSteps(path, mode, there), next: [next] };
  if (there === undefined) return { steps: [], next: [next] };
  if (there.type === "link" && terms.delete === false) {
    const message = `${path} is a link, and a folder is to go there: nothing is written through it.`;
    notes.fail(
      path,
      refusal("UNSAFE_NAME", message, "Remove the link, mirror into its target, or delete what is extra."),
    );
    return NOTHING;
  }
  return { steps: [inTheWay(path)], next: [next] };
}

function fileDecision(one: Case, deciding: Deciding): Decision | Promise<Decision> {
  const { source, there, path } = one;
  const { terms } = deciding;
  if (!isAsked(there, terms)) return leave(path, "only", deciding);
  if (there === undefined) return copied(one, "new", deciding);
  if (there.type === "directory") return instead(one, copied(one, "kind", deciding).steps, deciding);
  if (there.type !== "file") {
    // Here a new file takes a link's name; the server would write through it.
    const steps = copied(one, "kind", deciding).steps;
    return { steps: terms.direction === "up" ? [inTheWay(path), ...steps] : steps, next: [] };
  }
  const compare: CompareTerms = {
    by: terms.compare,
    zoneTolerance: terms.zoneTolerance,
    keepsTimes: terms.times !== false && deciding.abilities.has("times"),
  };
  const sizesAgree = source.size !== undefined && source.size === there.size;
  if (terms.compare === "hash" && sizesAgree && deciding.abilities.has("hashes")) return byHash(one, compare, deciding);
  const why = differenceOf(source, there, compare);
  if (why === undefined) return sameDecision(one, deciding);
  const isDoubtful = why === "time" && differenceOf(source, there, { ...compare, keepsTimes: false }) === undefined;
  return isDoubtful ? afterProof(one, compare, deciding) : copied(one, why, deciding);
}

/** A younger copy of equal size: an old one that was changed there, or one that could not be given its time. */
function afterProof(one: Case, compare: CompareTerms, deciding: Deciding): Decision | Promise<Decision> {
  const { there, path } = one;
  if (deciding.proveTimes === undefined || there?.modified === undefined) return copied(one, "time", deciding);
  return deciding.proveTimes(path, there.modified).then(() => {
    const why = differenceOf(one.source, there, { ...compare, keepsTimes: deciding.abilities.has("times") });
    return why === undefined ? sameDecision(one, deciding) : copied(one, why, deciding);
  });
}

async function byHash(one: Case, compare: CompareTerms, deciding: Deciding): Promise<Decision> {
  const { source, there, from, path } = one;
  const agree = await deciding.hashesAgree(from, path);
  if (agree === false) return copied(one, "hash", deciding);
  if (agree === undefined) {
    const why = there === undefined ? "new" : differenceOf(source, there, compare);
    return why === undefined ? sameDecision(one, deciding) : copied(one, why, deciding);
  }
  const { modified } = source;
  const isLate =
    modified !== undefined && there?.modified !== undefined && !timesAgree(modified, there.modified, false);
  const { steps } = sameDecision(one, deciding);
  return isLate && compare.keepsTimes
    ? { steps: [{ kind: "set-time", path, modified }, ...steps], next: [] }
    : { steps, next: [] };
}

function sameDecision({ source, there, path }: Case, deciding: Deciding): Decision {
  leave(path, "same", deciding);
  const steps = modeSteps(path, deciding.modeOf(source), there);
  return steps.length === 0 ? NOTHING : { steps, next: [] };
}

function modeSteps(path: string, mode: number | undefined, there: Item | undefined): readonly Step[] {
  if (mode === undefined || there?.mode === undefined || (there.mode & 0o777) === mode) return [];
  return [{ kind: "set-mode", path, mode }];
}

function copied({ source, there, from, path, parts }: Case, why: CopyReason, deciding: Deciding): Decision {
  const { size, modified } = source;
  const resume = deciding.unfinished(from, source, { path, there, parts });
  const step: CopyStep = {
    kind: there === undefined ? "copy" : "replace",
    path,
    from,
    why,
    size,
    modified,
    mode: deciding.modeOf(source),
    ...(there?.type === "file" ? { before: { size: there.size, mode: there.mode } } : {}),
    ...(resume === undefined ? {} : { resume }),
  };
  return { steps: [step], next: [] };
}

function linkDecision(one: Case, deciding: Deciding): Decision {
  const { source, there, from, path } = one;
  const { terms, notes, abilities } = deciding;
  if (terms.links !== "keep" || !abilities.has("links")) {
    if (terms.links === "follow") notes.warn(`${from} is a link that leads nowhere: it is left out`);
    return leave(path, "link", deciding);
  }
  if (!isAsked(there, terms)) return leave(path, "only", deciding);
  const root = terms.direction === "down" ? terms.remote : terms.local;
  const target = source.target === undefined ? undefined : targetInside(source.target, from, root);
  if (target === undefined) {
    notes.warn(`${from} is a link that leads out of the folder, or does not say where: it is left out`);
    return leave(path, "link", deciding);
  }
  return linkTo(target, one, deciding);
}

function linkTo(target: string, one: Case, deciding: Deciding): Decision {
  const { there, path } = one;
  if (there?.type === "link" && there.target === target) return leave(path, "same", deciding);
  const step: Step = { kind: "make-link", path, target };
  if (there?.type === "directory") return instead(one, [step], deciding);
  const isFree = there === undefined || deciding.terms.direction === "down";
  return { steps: isFree ? [step] : [inTheWay(path), step], next: [] };
}

function inTheWay(path: string): DeleteStep {
  return { kind: "delete-file", path, why: "in-the-way" };
}

/** A folder lies where something else is to go. */
function instead({ path }: Case, steps: readonly Step[], { terms, notes }: Deciding): Decision {
  if (terms.delete !== false) return { steps: [], next: [extraNode(path, "in-the-way", steps)] };
  const message = `${path} is a folder, and something else is to go there.`;
  notes.fail(path, refusal("EXISTS", message, "Remove it, or let the mirror delete what is extra."));
  return NOTHING;
}

function refusal(code: "LIMIT" | "EXISTS" | "UNSAFE_NAME", message: string, hint?: string): FtpError {
  return new FtpError(code, message, { phase: "local", retryable: false, hint });
}
