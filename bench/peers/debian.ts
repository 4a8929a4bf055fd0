/**
 * The servers and clients that Debian packages: fetched by apt and unpacked below bench/.cache. They conflict with each other, so they
 * cannot be installed side by side, and this way no daemon is started and nothing of the machine changes.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, gist, run } from "../processes.ts";

const CACHE = join(import.meta.dirname, "..", ".cache");
const UNPACKED = join(CACHE, "debian");
/** The clients lie apart: tests want the servers alone. */
const UNPACKED_CLIENTS = join(CACHE, "debian-clients");

/** The servers, and the libraries of theirs that a small Debian has not. */
const PACKAGES = [
  "vsftpd",
  "pure-ftpd",
  "pure-ftpd-common",
  "libpam-pwdfile",
  "proftpd-core",
  "proftpd-mod-crypto",
  "python3-pyftpdlib",
  "python3-openssl",
  "libwrap0",
  "libhiredis0.14",
  "libmemcached11",
  "libmemcachedutil2",
  "libhashkit2",
  "libpcre2-posix3",
  "libsodium23",
] as const;

/** Clients that few machines have, and the libraries of theirs that a small Debian has not. */
const CLIENT_PACKAGES = ["aria2", "libaria2-0", "libc-ares2", "libssh2-1", "rclone"] as const;

/** The file that names the archives that were unpacked: NAME_VERSION_ARCHITECTURE.deb each. */
const ARCHIVES = "archives";

let outcome: Promise<string | undefined> | undefined;
let clientsOutcome: Promise<string | undefined> | undefined;

/** @returns why the packages are not to be had, or undefined. Asks apt once in a run. */
export async function debianPeers(): Promise<string | undefined> {
  outcome ??= provide(UNPACKED, PACKAGES);
  return await outcome;
}

/** The same for the clients. */
export async function debianClients(): Promise<string | undefined> {
  clientsOutcome ??= provide(UNPACKED_CLIENTS, CLIENT_PACKAGES);
  return await clientsOutcome;
}

/** Whether they were unpacked already: for tests, which fetch nothing. */
export function hasDebianPeers(): boolean {
  return hasAll(UNPACKED, PACKAGES);
}

function hasAll(folder: string, packages: readonly string[]): boolean {
  return packages.every((name) => versionOf(name, folder) !== undefined);
}

async function provide(folder: string, packages: readonly string[]): Promise<string | undefined> {
  if (hasAll(folder, packages)) return undefined;
  if (findProgram("apt-get") === undefined) return "no apt-get here";
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  try {
    await download(fresh, packages);
    const archives = readdirSync(fresh).filter((name) => name.endsWith(".deb"));
    writeFileSync(join(fresh, ARCHIVES), archives.join("\n"));
    for (const name of archives) {
      await run("dpkg-deb", ["-x", join(fresh, name), fresh]);
      rmSync(join(fresh, name));
    }
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    return `apt-get download: ${gist(error)}`;
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
  return undefined;
}

async function download(folder: string, packages: readonly string[]): Promise<void> {
  const fetch = async (): Promise<string> => await run("apt-get", ["-qq", "download", ...packages], { cwd: folder });
  try {
    await fetch();
  } catch {
    await run("apt-get", ["update", "-qq"]);
    await fetch();
  }
}

/** A file of the unpacked packages, by its place in a Debian. */
export function unpacked(path: string): string {
  return join(UNPACKED, path);
}

/** A module of PAM; packages before Debian 13 have them in /lib, which is a link to /usr/lib in a Debian itself. */
export function pamModule(name: string): string {
  const places = ["lib", "usr/lib"].flatMap((folder) =>
    triplets().map((triplet) => join(folder, triplet, "security", name)),
  );
  return unpacked(places.find((place) => existsSync(unpacked(place))) ?? name);
}

/** A program of the unpacked clients, and where its libraries lie. */
export function unpackedClient(name: string): {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
} {
  return { program: join(UNPACKED_CLIENTS, "usr/bin", name), environment: libraries(UNPACKED_CLIENTS) };
}

/** For programs from there: where their libraries lie. */
export function libraries(root = UNPACKED): Readonly<Record<string, string>> {
  const folder = join(root, "usr/lib");
  return {
    LD_LIBRARY_PATH: triplets(root)
      .map((name) => join(folder, name))
      .join(":"),
  };
}

/** Names of folders for libraries of a kind of machine. */
function triplets(root = UNPACKED): readonly string[] {
  const folder = join(root, "usr/lib");
  // Nothing is unpacked yet.
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith("-linux-gnu"));
}

/** The version of a package that was unpacked. */
export function packageVersion(name: string): string {
  return versionOf(name) ?? "unknown";
}

function versionOf(name: string, folder = UNPACKED): string | undefined {
  const list = join(folder, ARCHIVES);
  const archives = existsSync(list) ? readFileSync(list, "utf8").split("\n") : [];
  const archive = archives.find((each) => each.startsWith(`${name}_`));
  // apt writes the colon of an epoch as %3a into a name.
  return archive?.split("_")[1]?.replace(/^\d+%3a/, "");
}
