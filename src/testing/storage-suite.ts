/**
 * Every promise of the storage port as a test. Each adapter runs it:
 * `storageSuite("mine", async () => ({ storage, cleanup }))`. Abilities that an adapter lacks are not asked for.
 */
import { suite } from "node:test";
import { registerChangeTests } from "./storage-suite-changes.ts";
import { registerReadTests } from "./storage-suite-reads.ts";
import { registerUploadTests } from "./storage-suite-uploads.ts";
import type { MakeStorage } from "./storage-suite-tools.ts";

/** @param make gives an empty storage of its own for each test. */
export function storageSuite(name: string, make: MakeStorage): void {
  suite(`storage: ${name}`, () => {
    registerReadTests(make);
    registerUploadTests(make);
    registerChangeTests(make);
  });
}
