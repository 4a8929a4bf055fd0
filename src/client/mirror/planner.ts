/**
 * Compares two trees folder by folder and says what is to be done, as it goes: never more is held than the folders that
 * are being looked at, a few whose listings are read ahead, and the names of those that come later.
 */
import { FtpError } from "../errors.ts";
import { type Decision, type Deciding, decide, extraDecision } from "./decide.ts";
import { FOLDERS_AHEAD, FOLDERS_WAITING, MIRROR_DEPTH } from "./limits.ts";
import { localError } from "./local-error.ts";
import { type Pair, pairsOf } from "./names.ts";
import { isPartOf } from "./parts.ts";
import type { EndNode, ExtraNode, Outcome, PairNode, PlanNode } from "./plan-nodes.ts";
import { type Listed, type Side, joined } from "./side.ts";
import { usage } from "./terms.ts";
import type { Counts, Step } from "./types.ts";

export type PlannerParts = Deciding & {
  readonly source: Side;
  readonly there: Side;
  /** The other side's folder is not there yet. */
  readonly isNew: boolean;
  readonly signal: AbortSignal;
  /** The unfinished download of a file here, were there one. undefined when nothing lies here. */
  readonly partOf: ((from: string, name: string, pair: Pair) => string | undefined) | undefined;
};

const EMPTY: Listed = { items: [], parts: new Map(), warnings: [], isCut: false };
/** Digests that are asked for at the same time. */
const DECISIONS_AHEAD = FOLDERS_AHEAD;
/** Steps that are given on together. */
const BATCH = 64;

export function noCounts(): Counts {
  return {
    copy: 0,
    replace: 0,
    "make-folder": 0,
    "set-time": 0,
    "set-mode": 0,
    "make-link": 0,
    "delete-file": 0,
    "delete-folder": 0,
    octets: 0,
    same: 0,
    excluded: 0,
  };
}

export class Planner {
  readonly #parts: PlannerParts;
  /** The next one is the last. */
  readonly #waiting: PlanNode[] = [];
  /** Removals that count for `maxDelete`. */
  #deletions = 0;
  #extras = 0;
  #held: string | undefined;

  constructor(parts: PlannerParts) {
    this.#parts = parts;
  }

  get counts(): Counts {
    return this.#parts.counts;
  }

  get deletions(): number {
    return this.#deletions;
  }

  /** Those of them that wait for the end of the plan. */
  get extras(): number {
    return this.#extras;
  }

  /** Why nothing may be removed, known when the plan is whole: a folder of the source could not be read. */
  get deletesHeld(): string | undefined {
    return this.#held;
  }

  /** @throws {FtpError} for the mirrored folders themselves. */
  async *steps(): AsyncGenerator<Step, void, undefined> {
    const make = this.#parts.isNew ? ({ kind: "make-folder", path: "", mode: undefined } as const) : undefined;
    this.#waiting.push({
      kind: "pair",
      from: "",
      path: "",
      depth: 0,
      links: 0,
      make,
      parent: undefined,
      isMade: make === undefined,
    });
    for (let node; (node = this.#waiting.pop()) !== undefined;) {
      this.#parts.signal.throwIfAborted();
      this.#readAhead(node);
      for await (const batch of this.#batchesOf(node)) {
        for (const step of batch) {
          this.#count(step);
          yield step;
        }
      }
    }
  }

  /** Many steps at a time: each turn of an async generator costs more than the step. */
  async *#batchesOf(node: PlanNode): AsyncGenerator<readonly Step[], void, undefined> {
    if (node.kind === "pair") yield* this.#compare(node);
    else if (node.kind === "extra") yield* this.#clear(node);
    else yield [...this.#end(node)];
  }

  #count(step: Step): void {
    const { counts } = this.#parts;
    counts[step.kind] += 1;
    if (step.kind === "copy" || step.kind === "replace") counts.octets += (step.size ?? 0) - (step.resume ?? 0);
    if ("why" in step && (step.why === "extra" || step.why === "in-the-way")) this.#deletions += 1;
    if ("why" in step && step.why === "extra") this.#extras += 1;
  }

  #readAhead(now: PlanNode): void {
    this.#begin(now);
    const first = Math.max(this.#waiting.length - FOLDERS_AHEAD, 0);
    for (const node of this.#waiting.slice(first)) this.#begin(node);
  }

  #begin(node: PlanNode): void {
    if (node.kind === "end" || node.listings !== undefined) return;
    const { source, there, terms } = this.#parts;
    if (node.kind === "extra") {
      node.listings = [this.#list(there, node.path, false)];
      return;
    }
    const nothing = Promise.resolve({ listed: EMPTY });
    const theirs = node.make === undefined ? this.#list(there, node.path, false) : nothing;
    node.listings = [this.#list(source, node.from, terms.links === "follow"), theirs];
  }

  async #list(side: Side, folder: string, follow: boolean): Promise<Outcome> {
    const { signal } = this.#parts;
    try {
      const { hidden, links } = this.#parts.terms;
      return { listed: await side.list(folder, { signal, hidden, follow, targets: links === "keep" }) };
    } catch (error) {
      return { error: localError(error, `list ${folder}`) };
    }
  }

  async *#compare(node: PairNode): AsyncGenerator<readonly Step[], void, undefined> {
    const [source, there] = await Promise.all(node.listings ?? []);
    // What is read ahead may be large: it is held no longer than it is needed.
    delete node.listings;
    this.#parts.signal.throwIfAborted();
    if (source === undefined || there === undefined) return;
    if ("error" in source || "error" in there) {
      this.#missed(node, source, there);
      return;
    }
    this.#check(node, source.listed, there.listed);
    if (this.#parts.terms.emptyFolders) yield [...made(node)];
    const next: PlanNode[] = [];
    yield* this.#pairs(node, { source: source.listed, there: there.listed, next });
    this.#await(next);
    this.#parts.notes.emit({ kind: "planned", path: node.path, counts: this.#parts.counts });
  }

  #missed(node: PairNode, source: Outcome, there: Outcome): void {
    const failed = "error" in source ? source : there;
    if (!("error" in failed)) return;
    if (node.depth === 0) throw failed.error;
    if (failed === source) this.#held ??= `the folder ${node.from} of the source could not be listed`;
    this.#parts.notes.fail(node.path, failed.error);
  }

  #check(node: PairNode, source: Listed, there: Listed): void {
    const { terms, notes } = this.#parts;
    const where = node.from === "" ? "the mirrored folder" : node.from;
    for (const warning of source.warnings) notes.warn(`${where}: ${warning}`);
    if (source.isCut && terms.delete !== false)
      notes.warn(`${where}: nothing in it is deleted, as its listing is not whole`);
    const wouldEmpty = node.depth === 0 && source.items.length === 0 && there.items.length > 0;
    if (!wouldEmpty || terms.delete === false || terms.allowEmpty) return;
    throw usage(
      `the source ${this.#parts.source.label} is empty, so that all that is in ${this.#parts.there.label} would be deleted; allow an empty source (allowEmpty) if that is meant`,
    );
  }

  /** Decisions that need digests are awaited in order, a few at the same time. */
  async *#pairs(
    node: PairNode,
    { source, there, next }: { readonly source: Listed; readonly there: Listed; readonly next: PlanNode[] },
  ): AsyncGenerator<readonly Step[], void, undefined> {
    const { terms, notes } = this.#parts;
    let batch: Step[] = [];
    const wanted = new Set<string>();
    const open: (Decision | Promise<Decision>)[] = [];
    const isHashing = terms.compare === "hash";
    const folder = { node, parts: there.parts, mayDelete: !source.isCut };
    for (const pair of pairsOf(source.items, there.items, terms.ignoreCase)) {
      for (const twin of pair.sourceTwins) {
        notes.warn(
          `${joined(node.from, twin.name)} and ${pair.source?.name} fall together: only the latter is mirrored`,
        );
      }
      for (const twin of pair.twinsThere)
        notes.warn(`${joined(node.path, twin.name)} falls together with ${pair.there?.name}: it is left alone`);
      if (there.parts.size > 0) this.#want(wanted, node, pair);
      const decision = decide(pair, folder, this.#parts);
      if (!isHashing && !(decision instanceof Promise)) batch.push(...given(node, decision, next));
      else open.push(watched(decision));
      if (open.length >= DECISIONS_AHEAD) batch.push(...given(node, (await open.shift()) ?? NOTHING, next));
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    for (const decision of open) batch.push(...given(node, await decision, next));
    if (!source.isCut && there.parts.size > 0) batch.push(...this.#leftBehind(node, { source, there, wanted }));
    yield batch;
  }

  #want(wanted: Set<string>, node: PairNode, pair: Pair): void {
    if (pair.source?.type !== "file") return;
    const part = this.#parts.partOf?.(joined(node.from, pair.source.name), pair.there?.name ?? pair.source.name, pair);
    if (part !== undefined) wanted.add(part);
  }

  /** Unfinished versions of files that are others by now. What is not surely ours stays. */
  *#leftBehind(
    node: PairNode,
    {
      source,
      there,
      wanted,
    }: { readonly source: Listed; readonly there: Listed; readonly wanted: ReadonlySet<string> },
  ): Generator<Step, void, undefined> {
    if (this.#parts.partOf === undefined) return;
    for (const part of there.parts.keys()) {
      if (wanted.has(part) || !source.items.some(({ name }) => isPartOf(part, name))) continue;
      yield { kind: "delete-file", path: joined(node.path, part), why: "left-behind" };
    }
  }

  /** What is in a folder that is to go. */
  async *#clear(extra: ExtraNode): AsyncGenerator<readonly Step[], void, undefined> {
    const [outcome] = await Promise.all(extra.listings ?? []);
    delete extra.listings;
    this.#parts.signal.throwIfAborted();
    const tooDeep = extra.depth > MIRROR_DEPTH * 2;
    if (outcome === undefined || "error" in outcome || tooDeep) {
      const fault = outcome !== undefined && "error" in outcome ? outcome.error : tooDeepError(extra.path);
      this.#parts.notes.fail(extra.path, fault);
      extra.isKept = true;
      this.#await([{ kind: "end", extra }]);
      return;
    }
    const next: PlanNode[] = [];
    for (const item of outcome.listed.items) {
      const path = joined(extra.path, item.name);
      const decision = extraDecision(path, item, this.#parts);
      if (decision.steps.length === 0 && decision.next.length === 0) extra.isKept = true;
      if (decision.steps.length > 0) yield [{ kind: "delete-file", path, why: extra.why }];
      for (const node of decision.next)
        if (node.kind === "extra") next.push({ ...node, why: extra.why, parent: extra });
    }
    for (const part of outcome.listed.parts.keys()) {
      yield [{ kind: "delete-file", path: joined(extra.path, part), why: extra.why }];
    }
    this.#await([...next, { kind: "end", extra }]);
  }

  *#end({ extra }: EndNode): Generator<Step, void, undefined> {
    if (!extra.isKept) {
      yield { kind: "delete-folder", path: extra.path, why: extra.why };
      yield* extra.next;
      return;
    }
    if (extra.parent !== undefined) extra.parent.isKept = true;
    if (extra.next.length === 0) return;
    const message = `${extra.path} is a folder with something in it that stays, and something else is to go there.`;
    this.#parts.notes.fail(extra.path, new FtpError("EXISTS", message, { phase: "local" }));
  }

  /** The first of them comes next. */
  #await(nodes: readonly PlanNode[]): void {
    if (this.#waiting.length + nodes.length > FOLDERS_WAITING) {
      const message = `The tree has more than ${FOLDERS_WAITING} folders beside each other; mirror its parts one by one.`;
      throw new FtpError("LIMIT", message, { phase: "local" });
    }
    for (const node of nodes.toReversed()) this.#waiting.push(node);
  }
}

/** One that fails is heard of when its turn comes, or never if the plan ends before. */
function watched(decision: Decision | Promise<Decision>): Decision | Promise<Decision> {
  if (decision instanceof Promise) decision.catch(() => {});
  return decision;
}

const NOTHING: Decision = { steps: [], next: [] };

/** A folder is made before the first step in it. */
function* given(node: PairNode, { steps, next }: Decision, waiting: PlanNode[]): Generator<Step, void, undefined> {
  if (steps.length > 0) yield* made(node);
  yield* steps;
  for (const each of next) waiting.push(each);
}

function* made(node: PairNode): Generator<Step, void, undefined> {
  if (node.isMade) return;
  node.isMade = true;
  if (node.parent !== undefined) yield* made(node.parent);
  if (node.make !== undefined) yield node.make;
}

function tooDeepError(path: string): FtpError {
  const message = `${path} is left alone: more than ${MIRROR_DEPTH * 2} folders lead to it.`;
  return new FtpError("LIMIT", message, { phase: "local" });
}
