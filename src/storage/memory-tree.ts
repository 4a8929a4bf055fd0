/** The tree of the memory storage, and how a path leads through it. */
import type { ByteString } from "../base/bytes.ts";
import type { VirtualPath } from "../protocol/path.ts";
import type { StorageFault } from "./storage.ts";

/** Links that one path may pass, as on Linux (MAXSYMLINKS). */
const MAX_LINKS = 40;

export type Facts = { modified: number; mode: number; readonly unique: string };
export type Volume = { readonly capacity: number; used: number };

let made = 0;

function newFacts(mode: number): Facts {
  made += 1;
  return { modified: Date.now(), mode, unique: `memory.${made}` };
}

export class File {
  readonly kind = "file";
  readonly content: Buffer;
  readonly facts: Facts;

  constructor(content: Buffer, mode = 0o644) {
    this.content = content;
    this.facts = newFacts(mode);
  }
}

export class Directory {
  readonly kind = "directory";
  readonly children = new Map<ByteString, Node>();
  /** Interrupted uploads, by the name that they were for. */
  readonly parts = new Map<ByteString, Buffer>();
  /** No longer in the tree; an upload into it has nowhere to appear. */
  removed = false;
  readonly facts: Facts;

  constructor(mode = 0o755) {
    this.facts = newFacts(mode);
  }
}

export class Link {
  readonly kind = "link";
  readonly target: ByteString;
  readonly facts = newFacts(0o777);

  constructor(target: ByteString) {
    this.target = target;
  }
}

export type Node = File | Directory | Link;

/** For a path that means a folder itself (the root, or a link to one's own parent), `name` is "" and `folder` it. */
export type Place = { readonly folder: Directory; readonly name: ByteString; readonly node: Node | undefined };

/** Walks down from the root; `..` of a link's text goes up the folders passed, never above the root. */
export function lookUp(root: Directory, path: VirtualPath, links: "follow" | "keep"): Place | StorageFault {
  const pending = partsOf(path).toReversed();
  const passed: Directory[] = [];
  let at = root;
  let followed = 0;
  for (let part; (part = pending.pop()) !== undefined;) {
    if (part === "..") {
      at = passed.pop() ?? root;
      continue;
    }
    const node = at.children.get(part);
    const isLast = pending.length === 0;
    if (node instanceof Link && !(isLast && links === "keep")) {
      followed += 1;
      if (followed > MAX_LINKS) return "denied";
      pending.push(...partsOf(node.target).toReversed());
      if (node.target.startsWith("/")) {
        passed.length = 0;
        at = root;
      }
      continue;
    }
    if (isLast) return { folder: at, name: part, node };
    if (!(node instanceof Directory)) return "not-found";
    passed.push(at);
    at = node;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no octets at all
  return { folder: at, name: "" as ByteString, node: at };
}

function partsOf(path: ByteString): ByteString[] {
  return path.split("/").filter((part): part is ByteString => part !== "" && part !== ".");
}
