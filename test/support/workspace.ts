/** A workspace over a storage in memory, with the events that it tells; for tests of rights and logs. */
import { type Account, type FolderRule, RIGHTS, type Right } from "../../src/account/account.ts";
import type { Upload, Storage } from "../../src/storage/storage.ts";
import { createMemoryStorage } from "../../src/storage/memory.ts";
import type { VirtualPath } from "../../src/protocol/path.ts";
import type { FerrymanEvent, SessionFacts } from "../../src/workspace/events.ts";
import { Workspace } from "../../src/workspace/workspace.ts";

export const FACTS: SessionFacts = { session: "s1", peer: { address: "192.0.2.7", port: 4000 }, account: "ann" };

export type Desk = { readonly workspace: Workspace; readonly storage: Storage; readonly events: FerrymanEvent[] };

type Wishes = {
  readonly rights?: readonly Right[];
  readonly folders?: readonly { readonly pattern: string; readonly rights: readonly Right[] }[];
  readonly files?: Readonly<Record<string, string>>;
  readonly storage?: Storage;
  readonly now?: () => number;
};

export function openDesk({ rights = RIGHTS, folders = [], files = {}, storage, now = Date.now }: Wishes = {}): Desk {
  const rules: FolderRule[] = folders.map((rule) => ({ pattern: rule.pattern, rights: new Set(rule.rights) }));
  const account: Account = {
    name: "ann",
    anonymous: false,
    home: "/srv/ann",
    rights: new Set(rights),
    folders: rules,
    limits: {},
  };
  const events: FerrymanEvent[] = [];
  const used = storage ?? createMemoryStorage(files);
  const session = { facts: () => FACTS, emit: (event: FerrymanEvent) => void events.push(event), now };
  return { workspace: new Workspace({ account, storage: used, session }), storage: used, events };
}

/** The content of a file, past all rights; undefined when there is no such file. */
export async function contentOf(storage: Storage, path: VirtualPath): Promise<string | undefined> {
  const found = await storage.stat(path).catch(() => undefined);
  if (found?.kind !== "file") return undefined;
  await using reader = await storage.openRead(path);
  const octets = Buffer.alloc(Number(found.size));
  for (let at = 0; at < octets.length;) at += await reader.read(octets.subarray(at), at);
  return octets.toString("utf8");
}

export async function fill(upload: Upload, text: string): Promise<void> {
  await upload.write([Buffer.from(text)]);
  await upload.publish();
}
