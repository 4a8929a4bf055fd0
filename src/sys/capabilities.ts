/** The capabilities of Linux by name: linux/capability.h. A set is a bigint with the bit of each. */

const NAMES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const;

/** Without its "CAP_". */
export type Capability = (typeof NAMES)[number];

/** In the order of their numbers. */
export const CAPABILITIES: readonly Capability[] = NAMES;

export function capabilitySet(names: readonly Capability[]): bigint {
  return names.reduce((set, name) => set | (1n << BigInt(CAPABILITIES.indexOf(name))), 0n);
}

/** The members of a set; one that is newer than our table appears as its number. */
export function capabilityNames(set: bigint): readonly string[] {
  const names: string[] = [];
  for (let number = 0; set >> BigInt(number) > 0n; number++) {
    if (((set >> BigInt(number)) & 1n) === 1n) names.push(CAPABILITIES[number] ?? String(number));
  }
  return names;
}
