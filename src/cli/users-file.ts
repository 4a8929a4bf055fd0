/** Which users file `ferryman user` works on. */
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export type UsersFile = {
  /** Absolute. */
  readonly path: string;
  /** Nobody named it: its folder may be made for it. */
  readonly standard: boolean;
};

export const USERS_FILE_HELP = `The users file is the first of these: --users FILE, the variable FERRYMAN_USERS,
users.toml in this folder if there is one, else ferryman/users.toml in
$XDG_CONFIG_HOME or ~/.config.`;

export async function usersFile(
  named: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<UsersFile> {
  const given = [named, environment["FERRYMAN_USERS"]].find((each) => each !== undefined && each !== "");
  if (given !== undefined) return { path: resolve(given), standard: false };
  const here = resolve("users.toml");
  if (await exists(here)) return { path: here, standard: false };
  // XDG Base Directory Specification: empty or relative means unset.
  const folder = environment["XDG_CONFIG_HOME"] ?? "";
  const config = folder.startsWith("/") ? folder : join(environment["HOME"] ?? homedir(), ".config");
  return { path: join(config, "ferryman", "users.toml"), standard: true };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
