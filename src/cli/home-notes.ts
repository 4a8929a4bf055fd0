/** What is odd with the served folders, in sentences for the first screen, each with its cure. */
import { existsSync } from "node:fs";
import { resolve, sep } from "node:path";
import type { Configuration } from "../config/sections.ts";
import type { Home } from "./accounts.ts";
import { mayUse } from "./broker-powers.ts";
import type { Plan } from "./privilege.ts";

/** Workers have a user of their own: what that user may not, no account may. */
export function homeNotes(homes: readonly Home[], { user, userName = "" }: Plan): readonly string[] {
  if (user === undefined) return [];
  const notes = homes.flatMap(({ who, folder, writes }) => {
    // Told elsewhere, whoever starts the server.
    if (!existsSync(folder)) return [];
    if (writes && !mayUse(folder, user, "write")) {
      return [
        `${who} cannot upload: the workers' user ${userName} may not write in ${folder}. Cure: chown -R ${userName} ${folder}`,
      ];
    }
    if (mayUse(folder, user, "read")) return [];
    return [`${who} sees nothing: the workers' user ${userName} may not read ${folder}. Cure: chmod o+rx ${folder}`];
  });
  return [...new Set(notes)];
}

/**
 * The folder of the command line is where accounts without a home begin: where there are none, nobody finds it.
 * @param folder absolute. @param given as it was typed; ".": perhaps not at all.
 */
export function unusedFolder(
  homes: readonly Home[],
  { folder, given, users }: { readonly folder: string; readonly given: string; readonly users: string | undefined },
): readonly string[] {
  if (given === "." || homes.length === 0) return [];
  const isNear = ({ folder: home }: Home): boolean => isWithin(home, folder) || isWithin(folder, home);
  if (homes.some(isNear)) return [];
  return [
    `Nobody is served ${folder}: every account has a home elsewhere, and guests are off. ` +
      `To guests: --anonymous read. To an account: take its home line out of ${users ?? "the users file"}.`,
  ];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Files that govern the server and lie where clients read or write (attack 61). */
export function exposedFiles(
  { serve, tls, bans }: Configuration,
  { homes, stateFolder }: { readonly homes: readonly Home[]; readonly stateFolder: string },
): readonly string[] {
  const files = [serve.users, serve.xferlog, tls.cert, tls.key, ...tls.certificates.flatMap((pair) => pair.split(":"))];
  const all = [...files, tls.clientCa, bans.hostsAllow, bans.hostsDeny, stateFolder].filter(
    (file) => file !== undefined,
  );
  const exposed = all.flatMap((file) => {
    const path = resolve(file);
    const home = homes.find(({ folder }) => isWithin(path, folder));
    return home === undefined
      ? []
      : [`${file} lies in ${home.folder}, which ${home.who} is served: move it elsewhere.`];
  });
  return [...new Set(exposed)];
}
