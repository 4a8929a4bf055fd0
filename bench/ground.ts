/** The ground that all servers stand on: the same files on the same disk, one certificate, accounts with the same hashes. */
import { argon2Sync, randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { run } from "./processes.ts";

/** How much work there is: octets, and files. */
export type Sizes = {
  readonly big: number;
  /** For several sessions and for TLS. */
  readonly large: number;
  /** For many sessions. */
  readonly middle: number;
  readonly text: number;
  /** What one session alone uploads. */
  readonly upload: number;
  /** Small files that there are, and those that one session moves, in clear and over TLS; several move twice as many, and uploads are half as many. */
  readonly files: number;
  readonly moved: number;
  readonly secureMoved: number;
  readonly entries: number;
  readonly logins: number;
  readonly idle: number;
  readonly secureIdle: number;
  readonly probes: number;
};

export const MEBIBYTE = 1_048_576;
export const FULL: Sizes = {
  big: 1_024 * MEBIBYTE,
  large: 192 * MEBIBYTE,
  middle: 32 * MEBIBYTE,
  text: 128 * MEBIBYTE,
  upload: 256 * MEBIBYTE,
  files: 10_000,
  moved: 2_000,
  secureMoved: 300,
  entries: 100_000,
  logins: 192,
  idle: 10_000,
  secureIdle: 5_000,
  probes: 500,
};
export const QUICK: Sizes = {
  big: 256 * MEBIBYTE,
  large: 96 * MEBIBYTE,
  middle: 16 * MEBIBYTE,
  text: 64 * MEBIBYTE,
  upload: 128 * MEBIBYTE,
  files: 1_000,
  moved: 500,
  secureMoved: 150,
  entries: 10_000,
  logins: 128,
  idle: 2_000,
  secureIdle: 1_000,
  probes: 300,
};

/** The part of the operations that is enough to warm a server up, and to see its memory. */
const WARM_UP_PART = 0.2;

const part = (many: number): number => Math.ceil(many * WARM_UP_PART);

/** The same with fewer operations; the files that are served are those that there are. */
export function aPartOf(sizes: Sizes): Sizes {
  const { upload, moved, secureMoved, logins, probes } = sizes;
  const fewer = { moved: part(moved), secureMoved: part(secureMoved), logins: part(logins), probes: part(probes) };
  return { ...sizes, ...fewer, upload: part(upload) };
}

/** Octets of a small file. */
export const SMALL_FILE = 1_024;
/** Entries of the small folder. */
const FEW_ENTRIES = 1_000;
/** Octets of one write while the files are made. */
const CHUNK = MEBIBYTE;
/** KiB and passes of the argon2id hash: next to nothing, so that servers are compared and not the hash. */
const [HASH_MEMORY, HASH_PASSES] = [64, 1];

export type Ground = {
  /** What the servers serve: `big.bin`, `large.bin`, `middle.bin`, `text.txt`, `small/`, `few/`, `many/`, `incoming/`, `uploads/`, `memory/`. */
  readonly root: string;
  /** For the configurations of servers. */
  readonly state: string;
  readonly sizes: Sizes;
  readonly cert: string;
  readonly key: string;
  /** Both in one file. */
  readonly pem: string;
  /** Two accounts with one password: of the first the hash is argon2id, next to nothing, of the other crypt(5)'s `$6$`. */
  readonly password: string;
  readonly argon2id: Hashed;
  readonly sha512Crypt: Hashed;
  /** It may mount: the run has a table of mounts of its own. */
  readonly ownMounts: boolean;
  /** Of the folder `memory/`, as the page tells it. */
  readonly memory: "tmpfs" | "none";
};

export type Hashed = { readonly user: string; readonly hash: string };

/** Makes all files. @param folder empty; whoever calls takes it away at the end. */
export async function prepare(
  folder: string,
  { sizes, ownMounts }: { sizes: Sizes; ownMounts: boolean },
): Promise<Ground> {
  const root = join(folder, "root");
  const state = join(folder, "state");
  for (const each of [root, state]) mkdirSync(each);
  for (const each of [folder, root, state]) chmodSync(each, 0o755);
  writeContent(join(root, "big.bin"), sizes.big, randomBytes(CHUNK));
  writeContent(join(root, "large.bin"), sizes.large, randomBytes(CHUNK));
  writeContent(join(root, "middle.bin"), sizes.middle, randomBytes(CHUNK));
  writeContent(join(root, "text.txt"), sizes.text, lines());
  makeFolder(join(root, "small"), { count: sizes.files, content: randomBytes(SMALL_FILE) });
  makeFolder(join(root, "few"), { count: FEW_ENTRIES, content: Buffer.alloc(0) });
  makeFolder(join(root, "many"), { count: sizes.entries, content: Buffer.alloc(0) });
  for (const each of ["incoming", "uploads", "memory"]) makeOpenFolder(join(root, each));
  if (ownMounts) {
    await run("mount", ["-t", "tmpfs", "-o", "mode=0777", "tmpfs", join(root, "memory")]);
  }
  const [cert, key, pem] = [join(state, "cert.pem"), join(state, "key.pem"), join(state, "both.pem")];
  const subject = ["-subj", "/CN=localhost", "-days", "30"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert]);
  copyFileSync(key, pem);
  writeFileSync(pem, readFileSync(cert), { flag: "a" });
  for (const each of [key, pem]) chmodSync(each, 0o600);
  // Else the disk is still busy with them when the first uploads are measured.
  await run("sync", ["-f", folder]);
  const password = "bench-password";
  const argon2id = { user: "fbench", hash: hashOf(password) };
  const sha512Crypt = { user: "fcrypt", hash: await cryptOf(password) };
  const accounts = { password, argon2id, sha512Crypt };
  return { root, state, sizes, cert, key, pem, ...accounts, ownMounts, memory: ownMounts ? "tmpfs" : "none" };
}

/** Stands in a path for a folder that no run has used. */
export const FRESH_FOLDER = "/uploads/fresh";

let folders = 0;

/**
 * Small uploads go to a new folder each time and stay to the end: ext4 passes over each inode that was freed within the
 * last seconds, so that whoever comes after a removal of thousands of files would pay for it, ten times the upload itself.
 */
export function inFreshFolder({ root }: Ground, path: string): string {
  folders += 1;
  const folder = `/uploads/${folders}`;
  makeOpenFolder(join(root, folder));
  return path.replace(FRESH_FOLDER, folder);
}

/** Takes away what a measure has left in the folders for uploads. */
export function sweep({ root }: Ground): void {
  for (const folder of ["incoming", "memory"]) {
    for (const each of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(root, folder, each.name);
      if (each.isDirectory()) rmSync(path, { recursive: true });
      else unlinkSync(path);
    }
  }
}

function makeOpenFolder(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o777);
}

/** Name of a small file, with what stands for its number. */
export function smallName(number: number | string): string {
  return `file-${number}.bin`;
}

export function makeFolder(path: string, { count, content }: { count: number; content: Buffer }): void {
  mkdirSync(path);
  for (let at = 0; at < count; at += 1) {
    // A third of the time of writeFileSync, and there are 100,000 of them.
    const file = openSync(join(path, smallName(at)), "w");
    if (content.length > 0) writeSync(file, content);
    closeSync(file);
  }
}

export function writeContent(path: string, size: number, chunk: Buffer): void {
  const file = openSync(path, "w");
  for (let left = size; left > 0; left -= chunk.length) writeSync(file, chunk, 0, Math.min(left, chunk.length));
  closeSync(file);
}

/** Lines of words, 60 octets each with LF, that fill a chunk; a quarter of it is left when it is deflated. */
function lines(): Buffer {
  const words = Array.from({ length: 400 }, () =>
    randomBytes(5)
      .toString("hex")
      .slice(0, 3 + ((randomBytes(1)[0] ?? 0) % 7)),
  );
  let text = "";
  while (text.length < CHUNK) {
    let line = "";
    while (line.length < 59) line += `${words[randomBytes(2).readUInt16BE() % words.length] ?? ""} `;
    text += `${line.slice(0, 59)}\n`;
  }
  return Buffer.from(text.slice(0, CHUNK));
}

/** SHA-512-crypt with the 5,000 rounds that nobody has to ask for. */
async function cryptOf(password: string): Promise<string> {
  return (await run("openssl", ["passwd", "-6", "-salt", randomBytes(8).toString("hex"), password])).trim();
}

/** argon2id as users files have it, with next to no cost. */
export function hashOf(password: string): string {
  const nonce = randomBytes(16);
  const cost = { memory: HASH_MEMORY, passes: HASH_PASSES, parallelism: 1, tagLength: 32 };
  const tag = argon2Sync("argon2id", { message: Buffer.from(password), nonce, ...cost });
  const [salt, sum] = [nonce, tag].map((each) => each.toString("base64").replaceAll("=", ""));
  return `$argon2id$v=19$m=${HASH_MEMORY},t=${HASH_PASSES},p=1$${salt}$${sum}`;
}
