/** Who a name stands for on this host: /etc/passwd and /etc/group, as getpwnam(3) reads them without other sources. */
import { readFileSync } from "node:fs";
import { DATABASE_LIMIT } from "./limits.ts";
import type { HostUser } from "./terms.ts";

/**
 * @param name "user", "user:group", or numbers "uid:gid".
 * @throws {Error} in words: there is none of that name, or it is root.
 */
export function findHostUser(name: string): HostUser {
  const [user = "", group] = name.split(":");
  const entry = lineOf("/etc/passwd", user);
  const uid = numberIn(entry?.[2]) ?? numberIn(user);
  if (uid === undefined) throw new Error(`there is no user "${user}" on this host: see /etc/passwd`);
  const gid = group === undefined ? numberIn(entry?.[3]) : groupId(group);
  if (gid === undefined)
    throw new Error(`user "${user}" has no entry in /etc/passwd: name a group too, as ${user}:GROUP`);
  if (uid === 0 || gid === 0) throw new Error(`"${name}" is root: workers run as somebody who owns nothing`);
  return { uid, gid };
}

function groupId(group: string): number {
  const gid = numberIn(lineOf("/etc/group", group)?.[2]) ?? numberIn(group);
  if (gid === undefined) throw new Error(`there is no group "${group}" on this host: see /etc/group`);
  return gid;
}

function lineOf(file: string, name: string): readonly string[] | undefined {
  try {
    const text = readFileSync(file, "latin1").slice(0, DATABASE_LIMIT);
    return text
      .split("\n")
      .map((line) => line.split(":"))
      .find(([first]) => first === name && name !== "");
  } catch {
    return undefined;
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 4_294_967_295 ? Number(text) : undefined;
}
