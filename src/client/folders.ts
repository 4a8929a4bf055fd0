/** Where the client keeps what it learns and what it is told: the folders of the XDG base directories, and of Windows. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

export type FolderTerms = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home?: string | undefined;
  readonly platform?: NodeJS.Platform | undefined;
};

/** `$XDG_STATE_HOME/ferryman`, else `~/.local/state/ferryman`; on Windows `%LOCALAPPDATA%\ferryman`. */
export function stateFolder(terms: FolderTerms): string {
  return folder(terms, { variable: "XDG_STATE_HOME", usual: [".local", "state"], windows: "LOCALAPPDATA" });
}

/** `$XDG_CONFIG_HOME/ferryman`, else `~/.config/ferryman`; on Windows `%APPDATA%\ferryman`. */
export function configFolder(terms: FolderTerms): string {
  return folder(terms, { variable: "XDG_CONFIG_HOME", usual: [".config"], windows: "APPDATA" });
}

type Names = { readonly variable: string; readonly usual: readonly string[]; readonly windows: string };

/** A path that is not absolute counts as unset: the XDG specification says so. */
function folder({ env, home, platform = process.platform }: FolderTerms, { variable, usual, windows }: Names): string {
  const named = [env[variable], ...(platform === "win32" ? [env[windows]] : [])];
  const base = named.find((path) => path !== undefined && isAbsolute(path));
  return join(base ?? join(home ?? homedir(), ...usual), "ferryman");
}
