/**
 * The second file with foreign-function prototypes: what a process does to itself before it starts work (give up
 * identity and capabilities, Landlock, execve) and the datagrams of systemd. As careful as ffi.ts, and apart from it
 * because workers never need these. Linux on x64 and arm64 alone; the structures are equal on both.
 */
import { closeSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { type CLibrary, type Koffi, fromCLibrary } from "./c-library.ts";

/** A system call of a process on itself that failed; `code` is the name of its errno. */
class ProcessCallError extends Error {
  override readonly name = "ProcessCallError";
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** Sets of capabilities as bits; capabilities(7). */
export type CapabilitySets = {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
};

/**
 * The calls. Those of prctl(2), capset(2) and Landlock change the calling thread alone: they hold for a whole process
 * only if it replaces itself by `execute` afterwards, which no thread but the calling one survives.
 * @throws {ProcessCallError} each of them
 */
export type ProcessCalls = {
  /** From now on no set-uid bit and no file capability gives power. Cannot be undone. */
  setNoNewPrivileges(): void;
  /** The signal that comes when the thread that started this process ends; a change of identity clears it. */
  setParentDeathSignal(signal: number): void;
  /** Whether others of the same user may look into this process; execve sets it to true again. */
  setDumpable(dumpable: boolean): void;
  /** Permitted capabilities outlive the next change from root to another user. */
  setKeepCapabilities(keep: boolean): void;
  /** Whether a capability is in the bounding set; undefined: the kernel has no such number. */
  isBounding(capability: number): boolean | undefined;
  /** Needs SETPCAP. */
  dropBounding(capability: number): void;
  clearAmbient(): void;
  raiseAmbient(capability: number): void;
  capabilities(): CapabilitySets;
  setCapabilities(sets: CapabilitySets): void;
  /** The supplementary groups become none. */
  clearGroups(): void;
  /** Real, effective and saved at once, of all threads. */
  setGroup(gid: number): void;
  setUser(uid: number): void;
  /** The version of Landlock's interface, 0 where the kernel has none or may not use it. Never throws. */
  landlockVersion(): number;
  /** @returns the descriptor of a rule set that handles these rights (bits of linux/landlock.h). */
  landlockRules(handled: { readonly files: number; readonly scopes: number }): number;
  landlockAllow(rules: number, descriptor: number, rights: number): void;
  landlockRestrict(rules: number): void;
  /** The next program gets this descriptor too, or no longer. */
  setCloseOnExec(descriptor: number, close: boolean): void;
  /** Replaces this process; it returns only to throw. @param args with the program's own name first. */
  execute(path: string, args: readonly string[], environment: Readonly<Record<string, string>>): never;
  /** One datagram to a unix socket: a path, or `@name` for an abstract one. It never waits. */
  sendDatagram(address: string, text: string): void;
};

/** linux/prctl.h */
const PR = {
  setParentDeathSignal: 1,
  setDumpable: 4,
  setKeepCapabilities: 8,
  isBounding: 23,
  dropBounding: 24,
  setNoNewPrivileges: 38,
  ambient: 47,
  ambientRaise: 2,
  ambientClear: 4,
} as const;
/** Version 3 of the structures of capset(2), two words for each set. */
const CAPABILITY_VERSION = 0x20080522;
/** Equal on all architectures of asm-generic/unistd.h and x86. */
const SYS_LANDLOCK = { create: 444, add: 445, restrict: 446 } as const;
const LANDLOCK_ASK_VERSION = 1;
const LANDLOCK_PATH_BENEATH = 1;
const F_SETFD = 2;
const AF_UNIX = 1;
const SOCK_DATAGRAM = 2 | 0o2000000;
const SEND_AT_ONCE = 0x40 | 0x4000;
/** Octets of sun_path: unix(7). */
const SUN_PATH = 108;
/** Octets of one argument or variable, MAX_ARG_STRLEN of linux/binfmts.h. */
const ARGUMENT_LIMIT = 131_072;

type Native = (...values: readonly unknown[]) => number;
let loaded: { readonly calls: ProcessCalls | undefined } | undefined;

/** The calls, or undefined: not Linux on x64 or arm64, no koffi, or FERRYMAN_FFI=off. Loaded once. */
export function loadProcessCalls(): ProcessCalls | undefined {
  if (process.env["FERRYMAN_FFI"] === "off") return undefined;
  loaded ??= { calls: fromCLibrary((library, koffi) => processCalls(prototypes(library), koffi)) };
  return loaded.calls;
}

function prototypes(library: CLibrary) {
  const native = (name: string, result: string, values: string): Native =>
    library.func(name, result, values.split(" "));
  return {
    // prctl, fcntl and syscall are variadic in C; integer arguments travel alike on both architectures.
    prctl: native("prctl", "int", "int ulong ulong ulong ulong"),
    capget: native("capget", "int", "void* void*"),
    capset: native("capset", "int", "void* void*"),
    setgroups: native("setgroups", "int", "size_t void*"),
    setresgid: native("setresgid", "int", "uint uint uint"),
    setresuid: native("setresuid", "int", "uint uint uint"),
    landlockCreate: native("syscall", "long", "long void* size_t uint"),
    landlockAdd: native("syscall", "long", "long int int void* uint"),
    landlockRestrict: native("syscall", "long", "long int uint"),
    fcntl: native("fcntl", "int", "int int int"),
    execve: native("execve", "int", "void* void* void*"),
    socket: native("socket", "int", "int int int"),
    sendto: native("sendto", "int64", "int void* size_t int void* uint"),
  };
}

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(osConstants.errno)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

type Prototypes = ReturnType<typeof prototypes>;
type Check = (call: string, result: number) => number;

function processCalls(c: Prototypes, koffi: Koffi): ProcessCalls {
  const check: Check = (call, result) => {
    if (result < 0) throw new ProcessCallError(call, errnoNames.get(koffi.errno()) ?? "EIO");
    return result;
  };
  return {
    ...powerCalls(c, check),
    ...identityCalls(c, check),
    ...landlockCalls(c, check),
    ...otherCalls(c, check, koffi),
  };
}

function powerCalls(c: Prototypes, check: Check) {
  const prctl = (name: string, option: number, values: readonly [number?, number?]): number =>
    check(`prctl ${name}`, c.prctl(option, values[0] ?? 0, values[1] ?? 0, 0, 0));
  return {
    setNoNewPrivileges() {
      prctl("no_new_privs", PR.setNoNewPrivileges, [1]);
    },
    setParentDeathSignal(signal) {
      prctl("pdeathsig", PR.setParentDeathSignal, [signal]);
    },
    setDumpable(dumpable) {
      prctl("dumpable", PR.setDumpable, [dumpable ? 1 : 0]);
    },
    setKeepCapabilities(keep) {
      prctl("keepcaps", PR.setKeepCapabilities, [keep ? 1 : 0]);
    },
    isBounding(capability) {
      const found = c.prctl(PR.isBounding, capability, 0, 0, 0);
      return found < 0 ? undefined : found === 1;
    },
    dropBounding(capability) {
      prctl("capbset_drop", PR.dropBounding, [capability]);
    },
    clearAmbient() {
      prctl("ambient", PR.ambient, [PR.ambientClear]);
    },
    raiseAmbient(capability) {
      prctl("ambient", PR.ambient, [PR.ambientRaise, capability]);
    },
    capabilities() {
      const words = Buffer.alloc(24);
      check("capget", c.capget(capabilityHeader(), words));
      const set = (at: number): bigint => (BigInt(words.readUInt32LE(at + 12)) << 32n) | BigInt(words.readUInt32LE(at));
      return { effective: set(0), permitted: set(4), inheritable: set(8) };
    },
    setCapabilities({ effective, permitted, inheritable }) {
      const words = Buffer.alloc(24);
      for (const [index, set] of [effective, permitted, inheritable].entries()) {
        words.writeUInt32LE(Number(set & 0xffffffffn), index * 4);
        words.writeUInt32LE(Number((set >> 32n) & 0xffffffffn), index * 4 + 12);
      }
      check("capset", c.capset(capabilityHeader(), words));
    },
  } satisfies Partial<ProcessCalls>;
}

/** struct __user_cap_header_struct for the calling thread. */
function capabilityHeader(): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION);
  return header;
}

function identityCalls(c: Prototypes, check: Check) {
  return {
    clearGroups() {
      check("setgroups", c.setgroups(0, null));
    },
    setGroup(gid) {
      check("setresgid", c.setresgid(gid, gid, gid));
    },
    setUser(uid) {
      check("setresuid", c.setresuid(uid, uid, uid));
    },
  } satisfies Partial<ProcessCalls>;
}

function landlockCalls(c: Prototypes, check: Check) {
  const landlockVersion = (): number =>
    Math.max(0, c.landlockCreate(SYS_LANDLOCK.create, null, 0, LANDLOCK_ASK_VERSION));
  return {
    landlockVersion,
    landlockRules({ files, scopes }) {
      // struct landlock_ruleset_attr: files, network, scopes. An older kernel knows only the first, or first two.
      const attributes = Buffer.alloc(landlockVersion() >= 6 ? 24 : 8);
      attributes.writeBigUInt64LE(BigInt(files));
      if (attributes.length === 24) attributes.writeBigUInt64LE(BigInt(scopes), 16);
      const descriptor = c.landlockCreate(SYS_LANDLOCK.create, attributes, attributes.length, 0);
      return check("landlock_create_ruleset", descriptor);
    },
    landlockAllow(rules, descriptor, rights) {
      // struct landlock_path_beneath_attr is packed.
      const rule = Buffer.alloc(12);
      rule.writeBigUInt64LE(BigInt(rights));
      rule.writeInt32LE(descriptor, 8);
      check("landlock_add_rule", c.landlockAdd(SYS_LANDLOCK.add, rules, LANDLOCK_PATH_BENEATH, rule, 0));
    },
    landlockRestrict(rules) {
      check("landlock_restrict_self", c.landlockRestrict(SYS_LANDLOCK.restrict, rules, 0));
    },
  } satisfies Partial<ProcessCalls>;
}

function otherCalls(c: Prototypes, check: Check, koffi: Koffi) {
  return {
    setCloseOnExec(descriptor, close) {
      check("fcntl", c.fcntl(descriptor, F_SETFD, close ? 1 : 0));
    },
    execute(path, args, environment) {
      const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      check("execve", c.execve(cString(path), stringList(koffi, args), stringList(koffi, variables)));
      throw new ProcessCallError("execve", "EIO");
    },
    sendDatagram(address, text) {
      const to = unixAddress(address);
      const message = Buffer.from(text);
      const socket = check("socket", c.socket(AF_UNIX, SOCK_DATAGRAM, 0));
      try {
        check("sendto", c.sendto(socket, message, message.length, SEND_AT_ONCE, to, to.length));
      } finally {
        closeSync(socket);
      }
    },
  } satisfies Partial<ProcessCalls>;
}

function cString(text: string): Buffer {
  const octets = Buffer.from(`${text}\0`);
  if (octets.indexOf(0) !== octets.length - 1) throw new ProcessCallError("execve", "EINVAL");
  if (octets.length > ARGUMENT_LIMIT) throw new ProcessCallError("execve", "E2BIG");
  return octets;
}

/** A char *[] with its closing NULL and the strings behind it, in one buffer that the call itself keeps alive. */
function stringList(koffi: Koffi, texts: readonly string[]): Buffer {
  const strings = texts.map(cString);
  const head = 8 * (strings.length + 1);
  const list = Buffer.concat([Buffer.alloc(head), ...strings]);
  const start = koffi.address(list);
  let at = head;
  for (const [index, { length }] of strings.entries()) {
    list.writeBigUInt64LE(start + BigInt(at), index * 8);
    at += length;
  }
  return list;
}

/** struct sockaddr_un; an abstract name has no closing NUL, its length tells where it ends. */
function unixAddress(address: string): Buffer {
  const abstract = address.startsWith("@");
  const name = Buffer.from(abstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (name.length > SUN_PATH) throw new ProcessCallError("sendto", "ENAMETOOLONG");
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name]);
}
