/** Entries as Node's file system calls tell of them, for the portable jail. */
import type { BigIntStats } from "node:fs";
import { type HostStat, kindOf } from "./host.ts";

const MODE_BITS = 0o7777n;

/** What Node's own calls say of an entry. */
export function hostStat(stat: BigIntStats): HostStat {
  return {
    kind: kindOf(Number(stat.mode)),
    size: stat.size <= Number.MAX_SAFE_INTEGER ? Number(stat.size) : stat.size,
    modified: Math.floor(Number(stat.mtimeNs / 1000n) / 1000),
    mode: Number(stat.mode & MODE_BITS),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    links: Number(stat.nlink),
    unique: `${deviceText(stat.dev)}.${stat.ino.toString(16)}`,
  };
}

/** As the kernel jail has it, so that a client's copy of `unique` outlives a change of jails: glibc's major and minor. */
function deviceText(device: bigint): string {
  if (process.platform !== "linux") return device.toString(16);
  const major = ((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn);
  const minor = ((device >> 12n) & 0xffffff00n) | (device & 0xffn);
  return `${major.toString(16)}.${minor.toString(16)}`;
}
