/**
 * The pair that a server makes for itself, kept so that clients which remembered it find the same one again. Of several
 * starts at once each ends with the same pair, without a lock: the key comes into being in one exclusive step, and every
 * certificate is made for the key that lies there.
 */
import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { systemCode } from "../../base/system-code.ts";
import { CredentialError, type CredentialFault } from "./credential-fault.ts";
import { checkPrivacy, readCredentialFile, shellWord } from "./credential-file.ts";
import { type Credential, type CredentialFiles, loadCredential } from "./credential.ts";
import { plainName } from "./host-names.ts";
import { EXPIRY_WARNING_MS, OWN_ATTEMPTS, OWN_DAYS } from "./limits.ts";
import { readKey } from "./read-pem.ts";
import { isOwnKind, makeSelfSigned, newKey } from "./self-signed.ts";

/** Faults that a new certificate for the same key mends. */
const RENEW_CERT: ReadonlySet<CredentialFault> = new Set([
  "empty",
  "too-large",
  "not-a-certificate",
  "too-many-certificates",
  "wrong-order",
  "key-does-not-fit",
  // Another start set it aside in this moment.
  "missing",
  "weak-signature",
  "refused",
]);
/** Faults of the key: after them nobody may trust it, or nobody can use it. */
const RENEW_KEY: ReadonlySet<CredentialFault> = new Set([
  "missing",
  "empty",
  "not-a-key",
  "weak-key",
  "key-readable-by-others",
]);
/** File systems without hard links say one of these. */
const NO_LINKS: ReadonlySet<unknown> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

export type OwnCredential = {
  readonly credential: Credential;
  /** Whether this call made the certificate. */
  readonly made: boolean;
};

export type OwnTerms = {
  /** Host names and addresses that clients use; asked only when a certificate is made. */
  readonly names: readonly string[];
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
};

/** Where `ownCredential` keeps its pair. */
export function ownFiles(folder: string): CredentialFiles {
  return { cert: join(folder, "ferryman.crt"), key: join(folder, "ferryman.key") };
}

/**
 * The pair in `folder`, made when there is none and remade, with a warning, when it has less than a month left, does not
 * fit together or is damaged. What lay there before is kept as `….old`. A key lives on for as long as it can be used.
 * @param folder made with mode 0700, its parents too.
 * @throws {CredentialError} for what an administrator has to look at: no right to read or write, an encrypted key.
 * @throws {RangeError} for names that no certificate can hold, when one is made.
 */
export async function ownCredential(folder: string, { names, now }: OwnTerms): Promise<OwnCredential> {
  const files = ownFiles(folder);
  const warnings: string[] = [];
  let made = false;
  try {
    await prepareFolder(folder);
    for (let attempt = 0; attempt < OWN_ATTEMPTS; attempt += 1) {
      const completed = await completePair(files, { names, now });
      made = made || completed === "made";
      const found = typeof completed === "object" ? completed : await lookAt(files, now);
      if (!("problem" in found)) {
        const all = [...warnings, ...found.warnings, ...nameWarnings(found, { names, file: files.cert })];
        return { credential: { ...found, warnings: all }, made };
      }
      if (await setAside(found)) warnings.push(`${found.problem}; a new one is made, the old is kept as ….old`);
    }
  } catch (error) {
    throw error instanceof CredentialError || error instanceof RangeError ? error : unusable(folder, error);
  }
  const text = "other programs keep changing the files in it; let one server alone use this folder";
  throw new CredentialError({ fault: "changing", file: folder, text });
}

async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode } = await stat(folder);
  if (process.platform === "win32" || (mode & OTHERS_WRITE) === 0 || (mode & STICKY) !== 0) return;
  const text = `anyone on this machine can put another key into this folder; run: chmod o-w ${shellWord(folder)}`;
  throw new CredentialError({ fault: "folder-writable-by-others", file: folder, text });
}

/** @returns what is wrong with the key, "made" when the certificate was missing and is ours now, else undefined. */
async function completePair(files: CredentialFiles, { names, now }: OwnTerms): Promise<Wrong | "made" | undefined> {
  if (await isMissing(files.key)) {
    await create(files.key, { text: newKey().export({ type: "pkcs8", format: "pem" }).toString(), mode: 0o600 });
  }
  const identity = await identityOf(files.key);
  try {
    const text = await readCredentialFile(files.key);
    checkPrivacy(text);
    const key = readKey(text, undefined);
    if (!(await isMissing(files.cert))) return undefined;
    if (!isOwnKind(key)) {
      const problem = `${files.key}: this is a key without a certificate, and not of the kind that we make (P-256)`;
      return { problem, file: files.key, identity };
    }
    const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
    const { cert } = makeSelfSigned({ names, now, days: OWN_DAYS, key: pem });
    return (await create(files.cert, { text: cert, mode: 0o644 })) ? "made" : undefined;
  } catch (error) {
    if (error instanceof CredentialError && RENEW_KEY.has(error.fault)) {
      return { problem: error.message, file: files.key, identity };
    }
    throw error;
  }
}

/** A file that has to go, and which one it was when it was judged. */
type Wrong = { readonly problem: string; readonly file: string; readonly identity: string | undefined };

async function lookAt(files: CredentialFiles, now: number): Promise<Credential | Wrong> {
  const identity = await identityOf(files.cert);
  try {
    // One that is not valid yet is kept: rather is this machine's clock not set, and clients remember the certificate.
    const credential = await loadCredential({ ...files, allowExpired: true }, now);
    if (credential.notAfter - now > EXPIRY_WARNING_MS) return { ...credential, source: "made" };
    const when = new Date(credential.notAfter).toISOString().slice(0, 10);
    return { problem: `${files.cert}: the certificate ends on ${when}`, file: files.cert, identity };
  } catch (error) {
    if (!(error instanceof CredentialError) || !RENEW_CERT.has(error.fault)) throw error;
    // Another start is changing the pair in this moment: nothing is judged by that, the next look is.
    const isPassing = error.fault === "missing" || (error.file === files.key && error.fault !== "key-does-not-fit");
    if (isPassing) return { problem: error.message, file: error.file, identity: undefined };
    return { problem: error.message, file: files.cert, identity };
  }
}

/**
 * Moves a file to `….old`, unless another start was faster: what is moved is looked at again, and put back if it is not
 * what was judged. Of three starts within that moment, one may serve a certificate that is no longer in the file until
 * its next start; the key is the same.
 * @returns whether it was moved.
 */
async function setAside({ file, identity }: Wrong): Promise<boolean> {
  if (identity === undefined) return false;
  const aside = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
  if ((await identityOf(aside)) === identity) {
    await rename(aside, `${file}.old`);
    return true;
  }
  await publish(aside, file);
  return false;
}

/** What a file keeps when it gets another name; undefined for none. */
async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs } = await lstat(file, { bigint: true });
    return [dev, ino, size, mtimeNs].join(":");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** A file that exists whole or not at all. @returns false when another one was there first. */
async function create(file: string, { text, mode }: { text: string; mode: number }): Promise<boolean> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await using handle = await open(temporary, "wx", mode);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const isOurs = await publish(temporary, file);
  await syncFolder(join(file, ".."));
  return isOurs;
}

/** Gives a file its name, if that is free; in any case it leaves no other. @returns whether it was free. */
async function publish(temporary: string, file: string): Promise<boolean> {
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    if (!NO_LINKS.has(systemCode(error))) throw error;
    // Without hard links two starts at the very same moment may change places; the next look finds what is there then.
    if (!(await isMissing(file))) return false;
    await rename(temporary, file);
    return true;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The name must outlive a power cut as the content does. Not every system can open a folder. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, constants.O_RDONLY);
    await handle.sync();
  } catch {
    // The pair is whole in any case; after a power cut it may be made again.
  } finally {
    await handle?.close();
  }
}

async function isMissing(file: string): Promise<boolean> {
  try {
    const found = await stat(file);
    if (found.isFile()) return false;
    const text = "this is not a regular file, but the place of our certificate or key; move it away";
    throw new CredentialError({ fault: "not-a-file", file, text });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    throw error;
  }
}

function nameWarnings(
  credential: Credential,
  { names, file }: { names: readonly string[]; file: string },
): readonly string[] {
  const missing = names.filter((name) => !credential.names.includes(plainName(name) ?? name));
  if (missing.length === 0) return [];
  return [`${file}: does not name ${missing.join(", ")}; remove the file to have it made anew at the next start`];
}

function unusable(folder: string, cause: unknown): CredentialError {
  const why = cause instanceof Error ? cause.message : "unknown fault";
  const text = `our own certificate cannot be kept here (${why}); give this user the right to write, or name another folder`;
  return new CredentialError({ fault: "unreadable", file: folder, text, cause });
}
