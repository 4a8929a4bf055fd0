/** Which files Node and Ferryman themselves read, so that a program which may see nothing else still runs. */
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Libraries, and the dynamic linker, which the kernel executes. */
const LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];

/** All of it readable for everybody on any host; none of it secret. */
const HOST_FILES = [
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.preload",
  // OpenSSL reads its settings at start and aborts without the right to.
  "/etc/ssl",
  "/etc/pki",
  "/etc/crypto-policies",
  "/usr/share/ca-certificates",
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc/host.conf",
  "/etc/gai.conf",
  "/etc/nsswitch.conf",
  "/etc/services",
  // Names of owners in listings, and os.userInfo().
  "/etc/passwd",
  "/etc/group",
  "/etc/localtime",
  "/etc/timezone",
  "/usr/share/zoneinfo",
  "/usr/share/locale",
  "/dev/urandom",
  // How much memory and how many processors there are, which V8 asks at start.
  "/proc/meminfo",
  "/proc/cpuinfo",
  "/proc/stat",
  "/sys/devices/system/cpu",
  "/sys/fs/cgroup",
  // The local storage's journal: with the boot a process id is never mistaken for another's.
  "/proc/sys/kernel/random/boot_id",
  "/proc/sys/vm/overcommit_memory",
];

export type NodePaths = {
  readonly read: readonly string[];
  readonly execute: readonly string[];
  readonly write: readonly string[];
};

/** Existing paths alone. `/proc/self` is the process that asks, which stays the same through execve. */
export function nodePaths(): NodePaths {
  return {
    read: [...HOST_FILES, "/proc/self", ...packagePaths()].filter(existsSync),
    execute: [process.execPath, ...LIBRARIES].filter(existsSync),
    write: existsSync("/dev/null") ? ["/dev/null"] : [],
  };
}

/** Our own code, src/ or dist/, and the packages that it imports. */
function packagePaths(): readonly string[] {
  const code = dirname(dirname(fileURLToPath(import.meta.url)));
  const searched = createRequire(import.meta.url).resolve.paths("zod") ?? [];
  // Node also searches two folders of long ago in the home folder and beside its binary, where nothing of ours lies.
  const packages = searched.filter((folder) => code.startsWith(dirname(folder)));
  return [code, join(dirname(code), "package.json"), ...packages];
}

/** Where a file of ours beside `url` lies, in the checkout (`.ts`) as in the package (`.js`). */
export function ownFile(url: string, name: string): string {
  const own = realpathSync(fileURLToPath(url));
  return join(dirname(own), `${name}${own.endsWith(".ts") ? ".ts" : ".js"}`);
}
