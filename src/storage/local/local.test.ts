/** The local storage keeps the port's promises in each of its jails, and its own beyond them. */
import { test } from "node:test";
import { loadSystemCalls } from "../../sys/ffi.ts";
import { storageSuite } from "../../testing/storage-suite.ts";
import { JAILS, temporaryFolder } from "./test-tools.ts";

test(
  "the kernel's jail works on this host",
  { skip: loadSystemCalls() ? false : "no foreign functions here" },
  () => {},
);

for (const [name, open] of JAILS) {
  storageSuite(name, async () => {
    const { folder, remove } = await temporaryFolder();
    const storage = await open(folder, {});
    return {
      storage,
      cleanup: async () => {
        await storage[Symbol.asyncDispose]();
        await remove();
      },
    };
  });
}
