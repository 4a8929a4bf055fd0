/** Ferryman as it runs in earnest: broker and workers, limits lifted as far as one machine's clients need, log off. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ground } from "../ground.ts";
import { gist, run } from "../processes.ts";
import { UNLIMITED } from "../unlimited.ts";
import { GUEST, type Peer } from "./peer.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
/** Where the package is built as users get it: a checkout strips types at each start, which is no server's work. */
const PACKAGE = join(import.meta.dirname, "..", ".cache", "ferryman");

let outcome: Promise<string | undefined> | undefined;

async function build(): Promise<string | undefined> {
  const compiler = join(PROJECT, "node_modules", "typescript", "bin", "tsc");
  const dist = join(PACKAGE, "dist");
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(join(PACKAGE, "bin"), { recursive: true });
  try {
    await run(process.execPath, [compiler, "-p", join(PROJECT, "tsconfig.build.json"), "--outDir", dist]);
    await run(process.execPath, [join(PROJECT, "scripts", "bundle.mjs"), dist]);
  } catch (error) {
    return `the package could not be built: ${gist(error)}`;
  }
  copyFileSync(join(PROJECT, "package.json"), join(PACKAGE, "package.json"));
  cpSync(join(PROJECT, "bin"), join(PACKAGE, "bin"), { recursive: true });
  const modules = join(PACKAGE, "node_modules");
  if (!existsSync(modules)) symlinkSync(join(PROJECT, "node_modules"), modules);
  return undefined;
}

/** Builds it, once in a run. @returns why it cannot be, or undefined. */
export async function builtPackage(): Promise<string | undefined> {
  outcome ??= build();
  return await outcome;
}

/** The command of the built package. */
export const COMMAND: readonly string[] = [process.execPath, join(PACKAGE, "bin", "ferryman.cjs")];

type Variant = {
  readonly workers: readonly string[];
  readonly setup: string;
  readonly share?: NonNullable<Peer["share"]>;
};

function variant(name: string, { workers, setup, share = {} }: Variant): Peer {
  return {
    name,
    ours: true,
    setup,
    share,
    absent: builtPackage,
    version: async () =>
      `Ferryman ${/"version": "([^"]+)"/.exec(readFileSync(join(PROJECT, "package.json"), "utf8"))?.[1] ?? "unknown"}`,
    logins({ password, argon2id, sha512Crypt }) {
      const files = { user: argon2id.user, password };
      return { guest: GUEST, files, hashed: { user: sha512Crypt.user, password }, argon2id: files };
    },
    async prepare(ground, port) {
      const { root, state, cert, key } = ground;
      const [config, users] = [join(state, `${name}.toml`), join(state, `${name}-users.toml`)];
      writeFileSync(users, usersOf(ground), { mode: 0o600 });
      writeFileSync(config, UNLIMITED);
      const where = [root, "--listen", `127.0.0.1:${port}`, "--config", config, "--users", users];
      const more = ["--state-folder", join(state, name), "--cert", cert, "--key", key, ...workers];
      return { command: [...COMMAND, "serve", ...where, ...more] };
    },
  };
}

function usersOf({ root, argon2id, sha512Crypt }: Ground): string {
  return [argon2id, sha512Crypt]
    .map(({ user, hash }) => `[users.${user}]\npassword = "${hash}"\nhome = "${root}"\nrights = "write"\n`)
    .join("\n");
}

const COMMON =
  "the built package, limits and bans lifted, log off, its sandbox on; under root a broker and workers without rights";

export const ferryman: Peer = variant("ferryman", {
  workers: [],
  setup: `As it comes: one worker a processor; ${COMMON}.`,
});
export const ferrymanOne: Peer = variant("ferryman-1", {
  workers: ["--workers", "1"],
  setup: `One worker; ${COMMON}.`,
  // The targets are about the other one.
  share: { g: 0.3 },
});
