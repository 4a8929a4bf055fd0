/** A worker for tests: does what it is asked by message and tells how that ended. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { z } from "zod";
import { inheritedRoots } from "../../src/jail/roots.ts";

export type Outcome = { readonly ok: boolean; readonly text: string };

const ORDER = z.strictObject({
  what: z.enum(["read", "write", "list", "roots", "describe", "load", "signal", "descriptor", "hang"]),
  path: z.string(),
});

const ACTIONS: Readonly<Record<z.output<typeof ORDER>["what"], (path: string) => string>> = {
  read: (path) => readFileSync(path, "utf8"),
  write: (path) => {
    writeFileSync(path, "written by the worker");
    return "";
  },
  list: (path) => readdirSync(path).join(" "),
  roots: () => JSON.stringify(inheritedRoots()),
  describe: () => JSON.stringify({ env: process.env, args: process.argv.slice(2), umask: process.umask() }),
  load: (name) => typeof createRequire(import.meta.url)(name),
  signal: (pid) => String(process.kill(Number(pid), 0)),
  descriptor: (number) => `${statSync(`/proc/self/fd/${number}`).isDirectory()}`,
  hang: () => {
    for (;;);
  },
};

process.on("message", (message) => {
  const { what, path } = ORDER.parse(message);
  process.send?.(attempt(() => ACTIONS[what](path)));
});
process.send?.({ ok: true, text: String(process.pid) } satisfies Outcome);

function attempt(action: () => string): Outcome {
  try {
    return { ok: true, text: action() };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return { ok: false, text: code || String(error) };
  }
}
