/** Where a server keeps what outlives it: its own certificate, bans. */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/**
 * The folder that is configured; else that of the service manager (systemd.exec(5), StateDirectory=), /var/lib/ferryman
 * for root, and $XDG_STATE_HOME/ferryman or ~/.local/state/ferryman for others.
 */
export function stateFolderOf(configured: string | undefined, environment: NodeJS.ProcessEnv = process.env): string {
  if (configured !== undefined) return resolve(configured);
  const [given = ""] = (environment["STATE_DIRECTORY"] ?? "").split(":");
  if (isAbsolute(given)) return given;
  if (process.getuid?.() === 0) return "/var/lib/ferryman";
  const own = environment["XDG_STATE_HOME"] ?? "";
  return join(isAbsolute(own) ? own : join(homedir(), ".local", "state"), "ferryman");
}
