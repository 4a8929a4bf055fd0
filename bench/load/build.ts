/** Which load generator this machine can have: the one in C, compiled on first use, else the one in Node. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const HERE = import.meta.dirname;
const CACHE = join(HERE, "..", ".cache");
/** Milliseconds that the compiler may take; it takes three seconds. */
const TIME_LIMIT_MS = 120_000;

export type LoadGenerator = {
  /** Program and first arguments; mode and options follow. */
  readonly command: readonly string[];
  readonly kind: "c" | "node";
  /** Whether it speaks TLS. */
  readonly tls: boolean;
};

/** The same modes, options and result, for machines without a compiler; it takes more of the machine for itself. */
export function nodeLoadGenerator(): LoadGenerator {
  return { command: [process.execPath, join(HERE, "load.ts")], kind: "node", tls: true };
}

/** The fastest generator to be had here: compiles the C source where there is a gcc and the source is newer. */
export async function loadGenerator(): Promise<LoadGenerator> {
  // The sources use splice(2), memfd_create(2) and epoll(7).
  if (process.platform !== "linux" || !gcc(["--version"]).done) return nodeLoadGenerator();
  const tls = gcc(["-E", "-include", "openssl/ssl.h", "-x", "c", "/dev/null"]).done;
  const program = join(CACHE, tls ? "load" : "load-without-tls");
  if (newest() <= changedAt(program) || compile(program, tls)) return { command: [program], kind: "c", tls };
  return nodeLoadGenerator();
}

/** To a name of its own first: another process may compile or run it at the same time. */
function compile(program: string, tls: boolean): boolean {
  mkdirSync(CACHE, { recursive: true });
  const fresh = `${program}.${process.pid}`;
  const ways = tls ? ["-lssl", "-lcrypto"] : ["-DNO_TLS"];
  const { done, said } = gcc(["-O2", "-Wall", "-Wextra", "-pthread", "-o", fresh, ...sources(".c"), ...ways]);
  if (done) renameSync(fresh, program);
  else console.error(`The load generator in C does not compile here, so the one in Node is used:\n${said}`);
  rmSync(fresh, { force: true });
  return done;
}

function gcc(args: readonly string[]): { readonly done: boolean; readonly said: string } {
  const ran = spawnSync("gcc", args, { encoding: "utf8", timeout: TIME_LIMIT_MS, stdio: ["ignore", "pipe", "pipe"] });
  return { done: ran.status === 0, said: ran.stderr ?? "" };
}

function sources(...endings: readonly string[]): readonly string[] {
  const names = readdirSync(HERE).filter((name) => endings.some((ending) => name.endsWith(ending)));
  return names.toSorted().map((name) => join(HERE, name));
}

function newest(): number {
  return Math.max(...sources(".c", ".h").map(changedAt));
}

/** 0 where there is none. */
function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
