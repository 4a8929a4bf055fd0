/** A server of our own, and the command `ferryman` as a process that goes to it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ran, run } from "./run.ts";
import { type TestServer, startServer } from "./server.ts";

export const LAUNCHER = join(import.meta.dirname, "..", "..", "bin", "ferryman.cjs");
/** The way there without what a machine may have of its own. */
export const BARE = ["--tls", "off", "--no-store", "--no-netrc"];

export type Stage = {
  readonly root: string;
  /** Where the commands run. */
  readonly folder: string;
  readonly served: TestServer;
  readonly url: (path: string) => string;
  readonly ferryman: (...words: readonly string[]) => Promise<Ran>;
};

export async function onServer(act: (stage: Stage) => Promise<void>): Promise<void> {
  await using served = await startServer();
  const folder = await mkdtemp(join(tmpdir(), "ferryman-commands-"));
  try {
    await act({
      root: served.root,
      folder,
      served,
      url: (path) => `ftp://ann:secret@127.0.0.1:${served.port}/${path}`,
      ferryman: async (...words) => await run(process.execPath, [LAUNCHER, ...words, ...BARE], { cwd: folder }),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export type Event = Readonly<Record<string, unknown>>;

/** What `--json` has written. */
export function eventsOf({ stdout }: Ran): readonly Event[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Event => JSON.parse(line));
}
