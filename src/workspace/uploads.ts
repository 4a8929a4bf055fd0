/** How an upload meets what is there: the rights that each way needs, and the names that STOU tries. */
import { randomBytes } from "node:crypto";
import type { Right } from "../account/account.ts";
import { joined } from "../protocol/octets.ts";
import { type VirtualPath, baseName, childPath, parentPath } from "../protocol/path.ts";
import { type Entry, type Storage, StorageError, type Upload, type UploadIntent } from "../storage/storage.ts";

/** How an upload meets what is there, as a client asks for it. */
export type StoreHow =
  /** STOR: a new file, or in place of one. */
  | { readonly kind: "store" }
  /** REST and STOR: from this octet on. */
  | { readonly kind: "resume"; readonly offset: number }
  /** APPE. */
  | { readonly kind: "append" }
  /** STOU: under a name that is free. */
  | { readonly kind: "unique" };

/** Names of STOU tried in order before random ones: `name`, `name.1` to `name.99`; each costs a look at the folder. */
const NUMBERED_NAMES = 100;
/** Random names of STOU tried after those; 64 bits each, so the first is free unless something is badly wrong. */
const RANDOM_NAMES = 3;

/** What an upload needs of the workspace. */
export interface Gate {
  may(right: Right, path: VirtualPath): boolean;
  /** @throws when the right is missing. */
  demand(right: Right, path: VirtualPath, verb: string): void;
}

type Order = { readonly path: VirtualPath; readonly how: Exclude<StoreHow, { kind: "unique" }> };
type Plan = {
  readonly intent: UploadIntent;
  /** The name was free, and what comes to have it meanwhile may not be replaced. */
  readonly mustStayFree?: boolean;
  /** Where the upload must begin; elsewhere it would change octets that may not be changed. */
  readonly begins?: number;
};

/**
 * - STOR: `write`, and `overwrite` besides where a file has the name.
 * - APPE: `append` to a file; `write` where there is none.
 * - REST and STOR: as APPE, and `overwrite` besides to begin before the end of a file.
 */
export async function planUpload(gate: Gate, storage: Storage, { path, how }: Order): Promise<Plan> {
  if (how.kind === "store" || (how.kind === "resume" && how.offset === 0)) {
    gate.demand("write", path, "write");
    if (gate.may("overwrite", path)) return { intent: { kind: "replace" } };
    if ((await entryAt(storage, path)) !== undefined) gate.demand("overwrite", path, "overwrite");
    return { intent: { kind: "create" } };
  }
  // Whoever may neither write nor append hears the same whether something is there or not.
  if (!gate.may("write", path)) gate.demand("append", path, "append");
  const there = await entryAt(storage, path);
  if (there === undefined) {
    gate.demand("write", path, "write");
    return { intent: how, mustStayFree: !gate.may("overwrite", path) };
  }
  gate.demand("append", path, "append");
  if (how.kind === "append" || gate.may("overwrite", path)) return { intent: how };
  const size = BigInt((await storage.stat(path)).size);
  if (BigInt(how.offset) > size) throw new StorageError("bad-offset", path);
  if (BigInt(how.offset) < size) gate.demand("overwrite", path, "overwrite");
  // "resume" would take an interrupted upload that is as long before the file, and replace the file by it.
  return { intent: { kind: "append" }, begins: how.offset };
}

type Opening = { readonly path: VirtualPath; readonly plan: Plan; readonly mode: number };

/** Opens what was planned, and holds it to the plan up to its publishing. */
export async function openPlanned(gate: Gate, storage: Storage, { path, plan, mode }: Opening): Promise<Upload> {
  const upload = await storage.openWrite(path, plan.intent, { mode });
  const check = async (): Promise<void> => {
    if (plan.mustStayFree === true && (await entryAt(storage, path)) !== undefined) {
      gate.demand("overwrite", path, "overwrite");
    }
  };
  try {
    if (plan.begins !== undefined && upload.offset !== plan.begins) throw new StorageError("bad-offset", path);
    await check();
  } catch (error) {
    await upload[Symbol.asyncDispose]();
    throw error;
  }
  return plan.mustStayFree === true ? wrapUpload(upload, { beforePublish: check }) : upload;
}

/** Names that a STOU has chosen and not yet published: no file shows yet that they are taken. */
const chosenNames = new WeakMap<Storage, Set<VirtualPath>>();

/** Needs `write` at the name that is found. @throws {StorageError} "exists" when no name is free. */
export async function openUnique(
  gate: Gate,
  storage: Storage,
  { wish, mode }: { readonly wish: VirtualPath; readonly mode: number },
): Promise<{ readonly path: VirtualPath; readonly upload: Upload }> {
  const chosen = chosenNames.get(storage) ?? new Set();
  chosenNames.set(storage, chosen);
  gate.demand("write", wish, "write");
  for (const path of uniqueNames(wish)) {
    if (chosen.has(path)) continue;
    chosen.add(path);
    const upload = await createIfFree(gate, storage, { path, mode }).catch((error: unknown) => {
      chosen.delete(path);
      throw error;
    });
    if (upload !== undefined) return { path, upload: wrapUpload(upload, { afterwards: () => chosen.delete(path) }) };
    chosen.delete(path);
  }
  throw new StorageError("exists", wish);
}

type Candidate = { readonly path: VirtualPath; readonly mode: number };

async function createIfFree(gate: Gate, storage: Storage, { path, mode }: Candidate): Promise<Upload | undefined> {
  // The kept part of an interrupted upload of that name is its sender's.
  if ((await entryAt(storage, path)) !== undefined || (await storage.interrupted(path)) !== undefined) return undefined;
  gate.demand("write", path, "write");
  try {
    return await storage.openWrite(path, { kind: "create" }, { mode });
  } catch (error) {
    if (error instanceof StorageError && error.fault === "exists") return undefined;
    throw error;
  }
}

function* uniqueNames(wish: VirtualPath): Generator<VirtualPath, void, void> {
  const folder = parentPath(wish);
  const name = baseName(wish);
  yield wish;
  for (let number = 1; number < NUMBERED_NAMES; number++) yield childPath(folder, joined(`${name}.${number}`));
  for (let turn = 0; turn < RANDOM_NAMES; turn++) {
    yield childPath(folder, joined(`${name}.${randomBytes(8).toString("hex")}`));
  }
}

/** What has the name, a link as itself; undefined when it is free. */
export async function entryAt(storage: Storage, path: VirtualPath): Promise<Entry | undefined> {
  try {
    return await storage.stat(path, "keep");
  } catch (error) {
    if (error instanceof StorageError && error.fault === "not-found") return undefined;
    throw error;
  }
}

type Around = { readonly beforePublish?: () => Promise<void>; readonly afterwards?: () => void };

function wrapUpload(upload: Upload, { beforePublish, afterwards }: Around): Upload {
  return {
    offset: upload.offset,
    ...(upload.descriptor === undefined ? {} : { descriptor: upload.descriptor }),
    write: async (chunks) => upload.write(chunks),
    async publish() {
      await beforePublish?.();
      await upload.publish();
    },
    keep: async () => upload.keep(),
    async [Symbol.asyncDispose]() {
      try {
        await upload[Symbol.asyncDispose]();
      } finally {
        afterwards?.();
      }
    },
  };
}
