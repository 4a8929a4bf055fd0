/** Starts the probe under terms and talks to it. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type ConfinedOptions, startConfined } from "../../src/jail/confined-process.ts";
import type { Outcome } from "./probe.ts";

export const NOBODY = { uid: 65_534, gid: 65_534 };
export const PROBE = fileURLToPath(new URL("probe.ts", import.meta.url));
const PEER = fileURLToPath(new URL("peer.ts", import.meta.url));
/** Why a test that needs root cannot run. */
export const notRoot: string | false =
  process.platform === "linux" && process.getuid?.() === 0 ? false : "needs root on Linux, to start others";

const OUTCOME = z.strictObject({ ok: z.boolean(), text: z.string() });

export type Probe = AsyncDisposable & {
  readonly child: ChildProcess;
  ask(what: string, path?: string): Promise<Outcome>;
};

export async function startProbe(options: Partial<ConfinedOptions>): Promise<Probe> {
  const readOnly = [dirname(PROBE), ...(options.readOnly ?? [])];
  const child = startConfined({ script: PROBE, ...options, readOnly });
  const first = await next(child);
  assert.equal(Number(first.text), child.pid);
  return {
    child,
    ask: async (what, path = "") => {
      child.send({ what, path });
      return next(child);
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** A process of peer.ts; as whoever we are, so that these tests need no root. */
export function startPeer(args: readonly string[]): ChildProcess {
  return startConfined({ script: PEER, args, readOnly: [dirname(PEER)] });
}

async function next(child: ChildProcess): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const onMessage = (message: unknown): void => resolve(OUTCOME.parse(message));
  const onExit = (code: number | null, signal: string | null): void => reject(new Error(`it ended: ${code} ${signal}`));
  child.once("message", onMessage).once("exit", onExit);
  try {
    return await promise;
  } finally {
    child.off("message", onMessage).off("exit", onExit);
  }
}

export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "ferryman-jail-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
