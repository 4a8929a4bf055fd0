/** Runs the storage conformance suite over the folder it was given, as a confined process; exits as its tests do. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { inheritedRoots } from "../../src/jail/roots.ts";
import { openLocalStorage } from "../../src/storage/local/local.ts";
import { storageSuite } from "../../src/testing/storage-suite.ts";

const [root] = inheritedRoots();
if (root === undefined) throw new Error("no root was handed over");
const { at } = root;
for (const jail of ["kernel", "portable"] as const) {
  storageSuite(`confined, ${jail}`, async () => {
    const storage = await openLocalStorage(await mkdtemp(join(at, "t")), { jail });
    return { storage, cleanup: async () => storage[Symbol.asyncDispose]() };
  });
}
