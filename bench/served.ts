/** What a measure of a running server needs: `ferryman serve` with limits that one machine's clients need, and a table. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { UNLIMITED } from "./unlimited.ts";

const LAUNCHER = join(import.meta.dirname, "..", "bin", "ferryman.cjs");
/** Descriptors that a process needs beside one for each session. */
const OTHER_DESCRIPTORS = 400;
/** Characters of what the server said that are shown when it does not start. */
const TOLD = 4_000;

export type Served = AsyncDisposable & {
  readonly port: number;
};

/** `ferryman serve` of an empty folder to guests, on a free port of loopback. @param workers absent: as many as by default. */
export async function serve(workers: number | undefined): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-bench-"));
  await chmod(folder, 0o755);
  const config = join(folder, "bench.toml");
  await writeFile(config, UNLIMITED);
  const own = ["--config", config, "--state-folder", join(folder, "state"), "--ready-fd", "3"];
  const many = workers === undefined ? [] : ["--workers", String(workers)];
  const command = [LAUNCHER, "serve", folder, "--listen", "127.0.0.1:0", ...own, ...many];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-TOLD);
  });
  const closed = once(child, "close");
  const end = async (): Promise<void> => {
    child.kill("SIGINT");
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await closed;
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  };
  const ready = child.stdio[3];
  if (!(ready instanceof Readable)) throw new Error("no pipe");
  let line = "";
  for await (const chunk of ready) line += String(chunk);
  const port = Number(/"port":(\d+)/.exec(line)?.[1]);
  if (!(port > 0)) {
    await end();
    throw new Error(`the server did not start: ${said}`);
  }
  return { port, [Symbol.asyncDispose]: end };
}

/** Fewer than were asked for, where this process or its children may not have so many descriptors. */
export function affordable(wanted: number): number {
  // Node itself raises the soft limit to the hard one when it starts.
  const hard = Number(
    /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Infinity,
  );
  const most = Math.min(wanted, hard - OTHER_DESCRIPTORS);
  if (most < wanted) console.log(`only ${most} sessions: a process may have ${hard} descriptors here (ulimit -Hn)`);
  return most;
}

/** Runs `one` so often, some at a time. */
export async function repeat(
  count: number,
  { atOnce, one }: { atOnce: number; one: (at: number) => Promise<void> },
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await one(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Columns as wide as their widest cell; the first one to the left, figures to the right. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)));
    console.log(cells.join("  "));
  }
}
