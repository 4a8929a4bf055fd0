/** Reads the files of `hosts-allow` and `hosts-deny`. */
import { readFile } from "node:fs/promises";
import { HostsAccess, type HostsFile } from "./hosts-access.ts";

/** Octets; a larger file is no list of rules. */
const LARGEST_FILE = 1_048_576;

export type HostsPaths = { readonly allow?: string | undefined; readonly deny?: string | undefined };
export type HostsReading = {
  /** Undefined when no file is named. */
  readonly hosts: HostsAccess | undefined;
  /** To be told, each with file and line. */
  readonly warnings: readonly string[];
  /** The server must not start (or must keep its old rules) with one of these. */
  readonly errors: readonly string[];
};

/** A file that is named must be there: without the one that denies, everyone would get in. */
export async function readHostsAccess({ allow, deny }: HostsPaths): Promise<HostsReading> {
  if (allow === undefined && deny === undefined) return { hosts: undefined, warnings: [], errors: [] };
  const errors: string[] = [];
  const read = async (path: string | undefined): Promise<HostsFile | undefined> => {
    if (path === undefined) return undefined;
    const text = await textOf(path);
    if (typeof text === "string") return { name: path, text };
    errors.push(text.problem);
    return undefined;
  };
  const hosts = new HostsAccess({ allow: await read(allow), deny: await read(deny) });
  const told = (severity: "warning" | "error"): readonly string[] =>
    hosts.problems.filter((problem) => problem.severity === severity).map(({ text }) => text);
  return { hosts, warnings: told("warning"), errors: [...errors, ...told("error")] };
}

async function textOf(path: string): Promise<string | { readonly problem: string }> {
  try {
    const octets = await readFile(path);
    if (octets.length <= LARGEST_FILE) return octets.toString("utf8");
    return { problem: `${path}: larger than 1 MiB; is this the right file?` };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
    const why = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "no right to read it" : code;
    return { problem: `${path}: ${why}` };
  }
}
