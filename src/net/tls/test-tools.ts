/** What the tests of this folder share: certificates of every kind, folders that go away, and OpenSSL's opinion. */
import { spawnSync } from "node:child_process";
import { type KeyObject, createPublicKey } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { basicConstraints, commonNames, keyUsage, signCertificate, subjectAltName } from "./certificate.ts";
import { pemOf } from "./pem.ts";
import { newKey, newSerial } from "./self-signed.ts";

export const DAY = 86_400_000;
/** A day in 2026 on which the tests live, so that no real clock counts. */
export const NOW: number = Date.UTC(2026, 5, 15, 12);

export type Issued = { readonly pem: string; readonly key: string; readonly keyObject: KeyObject };
export type Authority = Issued & { readonly name: Buffer };

export type IssueTerms = {
  readonly subject?: Buffer;
  readonly names?: readonly string[];
  readonly by?: Authority;
  readonly key?: KeyObject;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly extensions?: readonly Buffer[];
};

/** A certificate signed by an authority, else by itself, valid on NOW for 90 days unless told otherwise. */
export function issue(terms: IssueTerms = {}): Issued {
  const { subject = commonNames("leaf"), names = ["ftp.example.com"], by, key = newKey(), extensions = [] } = terms;
  const der = signCertificate(
    {
      serial: newSerial(),
      issuer: by?.name ?? subject,
      subject,
      notBefore: terms.notBefore ?? NOW - DAY,
      notAfter: terms.notAfter ?? NOW + 90 * DAY,
      publicKey: createPublicKey(key),
      extensions: [
        basicConstraints(false),
        keyUsage("digitalSignature"),
        ...(names.length === 0 ? [] : [subjectAltName(...names)]),
        ...extensions,
      ],
    },
    by?.keyObject ?? key,
  );
  return { pem: pemOf("CERTIFICATE", der), key: pemKey(key), keyObject: key };
}

/** An authority, signed by another one or by itself. */
export function authority(common: string, by?: Authority): Authority {
  const keyObject = newKey();
  const name = commonNames(common);
  const der = signCertificate(
    {
      serial: newSerial(),
      issuer: by?.name ?? name,
      subject: name,
      notBefore: NOW - DAY,
      notAfter: NOW + 900 * DAY,
      publicKey: createPublicKey(keyObject),
      extensions: [basicConstraints(true), keyUsage("keyCertSign")],
    },
    by?.keyObject ?? keyObject,
  );
  return { pem: pemOf("CERTIFICATE", der), key: pemKey(keyObject), keyObject, name };
}

export function pemKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-tls-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file in the folder, mode 0600 unless told otherwise. @returns its path. */
export async function put(
  folder: string,
  file: { name: string; text: string | Buffer; mode?: number },
): Promise<string> {
  const path = join(folder, file.name);
  await writeFile(path, file.text, { mode: file.mode ?? 0o600 });
  return path;
}

/** What a program says, both streams; undefined when it is not installed. */
export function run(program: string, args: readonly string[]): { status: number | null; output: string } | undefined {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
  return error === undefined ? { status, output: `${stdout}${stderr}` } : undefined;
}
