/** ftp-srv from npm, the only server for Node with a name; its packages come by the lockfile in npm/, on demand. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gist, run } from "../processes.ts";
import { GUEST, type Peer } from "./peer.ts";

/** Its package.json and lockfile. */
const SOURCE = join(import.meta.dirname, "npm");
const FOLDER = join(import.meta.dirname, "..", ".cache", "npm");
const FILES = ["package.json", "package-lock.json", ".npmrc"] as const;

let outcome: Promise<string | undefined> | undefined;

export const ftpSrv: Peer = {
  name: "ftp-srv",
  ours: false,
  setup:
    "Log off, no time limit; one process is all that it has. It knows no hashes: a handler of ours asks libcrypt by koffi, off its event loop.",
  async absent() {
    outcome ??= install();
    return await outcome;
  },
  version: async () => `ftp-srv ${/"ftp-srv": "([\d.]+)"/.exec(readFileSync(lockfile(), "utf8"))?.[1] ?? "unknown"}`,
  logins: ({ password, sha512Crypt: { user } }) => ({
    files: GUEST,
    guest: GUEST,
    ...(hasCrypt() ? { hashed: { user, password } } : {}),
  }),
  share: { d: 0.02, "c-small": 0.1, g: 0.3 },
  async prepare({ root, cert, key, sha512Crypt: { user, hash } }, port) {
    const script = join(import.meta.dirname, "ftp-srv-server.cjs");
    return { command: [process.execPath, script, FOLDER, root, String(port), cert, key, user, hash] };
  },
};

/** Whether the handler will find what it needs. */
function hasCrypt(): boolean {
  try {
    createRequire(import.meta.url).resolve("koffi");
    return true;
  } catch {
    return false;
  }
}

function lockfile(): string {
  return join(SOURCE, "package-lock.json");
}

async function install(): Promise<string | undefined> {
  const done = join(FOLDER, "installed");
  if (existsSync(done) && readFileSync(done, "utf8") === readFileSync(lockfile(), "utf8")) return undefined;
  mkdirSync(FOLDER, { recursive: true });
  for (const name of FILES) copyFileSync(join(SOURCE, name), join(FOLDER, name));
  try {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: FOLDER });
  } catch (error) {
    return `npm ci: ${gist(error)}`;
  }
  writeFileSync(done, readFileSync(lockfile()));
  return undefined;
}
