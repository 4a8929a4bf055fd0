/** A file that is none: servers say of a folder that it cannot be opened, and not that it is one. */
import { FtpError } from "./errors.ts";
import { existsAt } from "./facts.ts";
import type { Hub } from "./hub.ts";
import { IS_FOLDER } from "./reply-errors.ts";

/** @returns the error, which says so where the path is a folder's. */
export async function namingFolder(error: unknown, path: string, hub: Hub): Promise<unknown> {
  const isRefusal = error instanceof FtpError && error.code === "NOT_FOUND" && error.hint === undefined;
  if (!isRefusal || error.reply === undefined) return error;
  const { code, message, phase, connection, command, reply, retryable, cause } = error;
  try {
    const once = { timeoutMs: LOOK_MS, retry: { attempts: 1 } };
    const type = await hub.call(async (session, { signal }) => await existsAt(path, { hub, session, signal }), once);
    if (type !== "directory") return error;
  } catch {
    return error;
  }
  return new FtpError(code, message, { phase, connection, command, reply, retryable, cause, hint: IS_FOLDER });
}

/** Milliseconds for a look at what was refused: the refusal is told without it, too. */
const LOOK_MS = 3_000;
