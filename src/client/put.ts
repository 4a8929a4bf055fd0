/**
 * Files to the server under a hidden name, which they change for their own when they are whole. It is asked for, and not the
 * rule: docs/decisions/028-uploads-under-their-own-name.md.
 */
import type { GivenSource } from "./ends.ts";
import { FtpError, withDetails, usageError } from "./errors.ts";
import { existsAt } from "./facts.ts";
import type { Hub } from "./hub.ts";
import { type RenameOptions, renameAt } from "./rename.ts";
import type { Transferred, UploadOptions } from "./types.ts";
import { taken, upload } from "./upload.ts";
import { joinedSignal } from "./waits.ts";

/** @param path absolute, as `Hub.path` makes it. */
export async function put(
  hub: Hub,
  from: GivenSource["from"],
  path: string,
  options: UploadOptions = {},
): Promise<Transferred> {
  if (options.atomic !== true) return await upload(hub, from, path, options);
  const { mode = "replace", retry } = options;
  if (mode === "append") throw usageError(`${path} cannot be appended to atomically`, "leave out one of the two");
  const signal = joinedSignal(options.signal, options.timeoutMs);
  const naming = { path, isExclusive: mode === "exclusive", signal, retry };
  await refuseTaken(hub, naming);
  const part = partNameOf(path);
  const isResumed = mode === "resume";
  const given = { ...options, signal, timeoutMs: undefined, mode: isResumed ? mode : ("replace" as const) };
  const done = await upload(hub, from, part, given);
  await takeName(hub, part, naming);
  return done;
}

/** Hidden, beside the file, and the same each time, so that a later call can go on with it. */
export function partNameOf(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}.${path.slice(slash)}.part`;
}

export type Naming = RenameOptions & {
  readonly path: string;
  /** Nothing may be there. */
  readonly isExclusive?: boolean;
};

/** A whole file gets its name. @throws {FtpError} that says under which name it is. */
export async function takeName(hub: Hub, part: string, naming: Naming): Promise<void> {
  const { path } = naming;
  await refuseTaken(hub, naming);
  let isOldGone = false;
  try {
    try {
      await renameAt(hub, { from: part, to: path }, naming);
    } catch (error) {
      if (!isOverRefused(error) || naming.isExclusive === true || !(await isFile(hub, naming))) throw error;
      // Servers that rename over nothing, such as IIS: for a moment there is neither.
      await hub.call(async (session, { signal }) => void (await session.send(`DELE ${path}`, { signal })), naming);
      isOldGone = true;
      await renameAt(hub, { from: part, to: path }, naming);
    }
  } catch (error) {
    if (!(error instanceof FtpError)) throw error;
    const old = isOldGone ? ", and the old file has been removed" : "";
    throw withDetails(error, {
      message: `${path} is whole at the server, but under the name ${part}${old}: ${error.message}`,
      hint: "rename it there; or put it without atomic, where the server lets nobody rename",
    });
  }
}

/** The name was refused, not the renaming as such: a server that lets nobody rename says so at RNFR. */
function isOverRefused(error: unknown): boolean {
  return error instanceof FtpError && error.command?.startsWith("RNTO ") === true && (error.reply?.code ?? 0) >= 500;
}

async function isFile(hub: Hub, naming: Naming): Promise<boolean> {
  const there = await hub.call(async (session, { signal }) => {
    return await existsAt(naming.path, { hub, session, signal });
  }, naming);
  return there === "file" || there === "link";
}

async function refuseTaken(hub: Hub, naming: Naming): Promise<void> {
  if (naming.isExclusive === true && (await isFile(hub, naming))) throw taken(naming.path);
}
