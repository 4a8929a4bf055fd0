/** A folder of this host for one test, gone afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Scratch = AsyncDisposable & { readonly path: string; readonly at: (name: string) => string };

export async function scratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), "ferryman-client-"));
  return {
    path,
    at: (name) => join(path, name),
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
}
