/** Which load generator this machine can have: the one in C, compiled on first use, else the one in Node. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { compile, gcc, isFresh } from "../compile.ts";

const HERE = import.meta.dirname;
const CACHE = join(HERE, "..", ".cache");

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
  if (isFresh(program, sources(".c", ".h")) || compiled(program, tls)) return { command: [program], kind: "c", tls };
  return nodeLoadGenerator();
}

function compiled(program: string, tls: boolean): boolean {
  const ways = tls ? ["-lssl", "-lcrypto"] : ["-DNO_TLS"];
  const { done, said } = compile(program, ["-pthread", ...sources(".c"), ...ways]);
  if (!done) console.error(`The load generator in C does not compile here, so the one in Node is used:\n${said}`);
  return done;
}

function sources(...endings: readonly string[]): readonly string[] {
  const names = readdirSync(HERE).filter((name) => endings.some((ending) => name.endsWith(ending)));
  return names.toSorted().map((name) => join(HERE, name));
}
