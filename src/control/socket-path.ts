/** Where the control socket lies, and whether its folder can be trusted (attack 62). */
import { lstat, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";

const NAME = "control.sock";

export type Surroundings = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Undefined where there are no user ids. */
  readonly uid: number | undefined;
};

export function surroundings(): Surroundings {
  return { environment: process.env, uid: process.getuid?.() };
}

/**
 * The path that a server takes when none is configured: in systemd's runtime folder, else /run/ferryman for root, else
 * the user's runtime folder, else a folder of the user's own among the temporary ones.
 */
export function standardSocket({ environment, uid }: Surroundings): string {
  // systemd.exec(5): more than one folder is separated by colons.
  const [given = ""] = (environment["RUNTIME_DIRECTORY"] ?? "").split(":");
  if (isAbsolute(given)) return join(given, NAME);
  if (uid === 0) return join("/run/ferryman", NAME);
  const own = environment["XDG_RUNTIME_DIR"] ?? "";
  return isAbsolute(own) ? join(own, "ferryman", NAME) : temporarySocket({ environment, uid });
}

function temporarySocket({ uid }: Surroundings): string {
  return join(tmpdir(), `ferryman-${uid ?? "user"}`, NAME);
}

/** Where a command looks for a running server: what `standardSocket` gives, then where a service has it. */
export async function likelySockets(here: Surroundings): Promise<readonly string[]> {
  const standard = standardSocket(here);
  const temporary = temporarySocket(here);
  const all = [...new Set([standard, join("/run/ferryman", NAME), temporary])];
  // Anybody can make a folder of that name among the temporary ones, and answer in place of our server.
  const isOwn = (await folderProblem(temporary, here)) === undefined;
  return isOwn ? all : all.filter((path) => path !== temporary);
}

/** Why a folder is not to be trusted with the socket; undefined if it is. */
export async function folderProblem(path: string, { uid }: Surroundings): Promise<string | undefined> {
  const folder = dirname(resolve(path));
  try {
    const facts = await lstat(folder);
    if (!facts.isDirectory()) return `${folder} is no folder of its own (a link, or a file)`;
    if (uid === undefined) return undefined;
    if (facts.uid !== uid && facts.uid !== 0) return `${folder} belongs to another user`;
    // A sticky folder keeps others from replacing what is ours, not from having been there first.
    return (facts.mode & 0o022) === 0 ? undefined : `${folder} can be written by others; make it mode 0700`;
  } catch (error) {
    return `${folder}: ${codeOf(error)}`;
  }
}

/** Makes the socket's own folder with mode 0700 if it is not there; folders above must exist. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(dirname(resolve(path)), { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== "EEXIST") throw error;
  });
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
}
