/** A certificate with its key, read from files and checked for all that clients would stumble over. */
import { X509Certificate } from "node:crypto";
import { access } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createSecureContext } from "node:tls";
import { altNames } from "./alt-names.ts";
import { USAGE } from "./certificate.ts";
import { commonName, subjectOf } from "./client-identity.ts";
import { CredentialError } from "./credential-fault.ts";
import { type CredentialText, checkPrivacy, readCredentialFile } from "./credential-file.ts";
import { plainName } from "./host-names.ts";
import { EXPIRY_WARNING_MS } from "./limits.ts";
import { readChain, readKey } from "./read-pem.ts";

/** `sha1WithRSAEncryption`, `ecdsa-with-SHA1`, `md5WithRSAEncryption` … as OpenSSL names them. */
const BROKEN_DIGEST = /sha1(?!\d)|md[245]/i;

export type Credential = {
  /** The certificates in PEM, the server's own first: for `createSecureContext`. */
  readonly cert: string;
  /** The private key in PEM, without a passphrase. Never for a log. */
  readonly key: string;
  /** DNS names and IP addresses of the server's certificate, as `plainName` spells them; a wildcard is `*.example.com`. */
  readonly names: readonly string[];
  /** Milliseconds since 1970 UTC. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 of the server's certificate: `AA:BB:…`. */
  readonly fingerprint: string;
  /** `CN=ftp.example.com,O=Example`; "" when it has none. */
  readonly subject: string;
  /** The files; "made" for one of `ownCredential`. */
  readonly source: CredentialFiles | "made";
  /** What works, but not for long or not for everyone: a sentence each, with the file's name. */
  readonly warnings: readonly string[];
};

export type CredentialFiles = {
  readonly cert: string;
  /** May be the same file. */
  readonly key: string;
};

export type CredentialRequest = {
  /** A PEM file: the server's certificate, then the intermediate ones. */
  readonly cert: string;
  /** A PEM file; absent: the key is in the certificate's file. */
  readonly key?: string;
  /** Of an encrypted key. */
  readonly passphrase?: string;
  /** A certificate that has expired, or is not valid yet, is a warning and no error. */
  readonly allowExpired?: boolean;
};

/**
 * @param now milliseconds since 1970 UTC.
 * @throws {CredentialError} whose message names the file, what is wrong and the cure.
 */
export async function loadCredential(request: CredentialRequest, now: number): Promise<Credential> {
  const files: CredentialFiles = { cert: request.cert, key: request.key ?? request.cert };
  const certText = await readCredentialFile(files.cert);
  const keyText = files.key === files.cert ? certText : await readCredentialFile(files.key);
  const chain = readChain(certText, keyText);
  // That there is a key at all comes first: a certificate alone may be read by everybody.
  const key = readKey(keyText, request.passphrase);
  const privacy = checkPrivacy(keyText);
  const leaf = leafOf(chain, { fits: (certificate) => certificate.checkPrivateKey(key), files });
  const credential: Credential = {
    cert: chain.map((certificate) => certificate.toString()).join(""),
    key: key.export({ type: "pkcs8", format: "pem" }).toString(),
    names: namesOf(leaf),
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
    fingerprint: leaf.fingerprint256,
    subject: subjectOf(leaf) ?? "",
    source: files,
    warnings: [],
  };
  const expiry = validityProblem(credential, now);
  if (expiry !== undefined && request.allowExpired !== true) throw expiry;
  checkDigests(chain, files.cert);
  checkAccepted(credential, certText);
  const warnings = [privacy, expiry?.message, ...(await chainWarnings(chain, certText)), soonWarning(credential, now)];
  return { ...credential, warnings: warnings.filter((warning) => warning !== undefined) };
}

/** "expired" or "not-yet-valid"; undefined while it is valid. */
export function validityProblem(credential: Credential, now: number): CredentialError | undefined {
  const { notBefore, notAfter, source } = credential;
  const file = source === "made" ? "our own certificate" : source.cert;
  if (now > notAfter) {
    const text = `the certificate expired on ${day(notAfter)}; renew it, or put the renewed one into this file`;
    return new CredentialError({ fault: "expired", file, text });
  }
  if (now >= notBefore) return undefined;
  const text = `the certificate is valid only from ${day(notBefore)} on, and this machine has ${day(now)}; check its clock`;
  return new CredentialError({ fault: "not-yet-valid", file, text });
}

type Fit = { readonly fits: (certificate: X509Certificate) => boolean; readonly files: CredentialFiles };

/** The first certificate, if the key is its key. */
function leafOf(chain: readonly X509Certificate[], { fits, files }: Fit): X509Certificate {
  const at = chain.findIndex(fits);
  const leaf = chain[at];
  if (at === 0 && leaf !== undefined) return leaf;
  if (leaf !== undefined) {
    const text = `the certificate that the key belongs to is number ${at + 1} in the file; put the server's certificate first, then the one that signed it`;
    throw new CredentialError({ fault: "wrong-order", file: files.cert, text });
  }
  const text = `the private key belongs to another certificate than that in ${files.cert}; give the two that were made together`;
  throw new CredentialError({ fault: "key-does-not-fit", file: files.key, text });
}

/** OpenSSL lets a server have such a chain, and its clients refuse it. Who vouches for itself needs no signature. */
function checkDigests(chain: readonly X509Certificate[], file: string): void {
  const weak = chain.find((one) => BROKEN_DIGEST.test(one.signatureAlgorithm ?? "") && one.subject !== one.issuer);
  if (weak === undefined) return;
  const text = `a certificate is signed with ${weak.signatureAlgorithm}, which can be forged; have it issued anew with SHA-256`;
  throw new CredentialError({ fault: "weak-signature", file, text });
}

/** What OpenSSL itself refuses is found now and not at the first client. */
function checkAccepted({ cert, key }: Credential, { file }: CredentialText): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const reason = cause instanceof Error && "reason" in cause ? String(cause.reason) : code;
    if (code.endsWith("_KEY_TOO_SMALL")) {
      const text = "a certificate of the chain has a key that is too small; have it issued anew";
      throw new CredentialError({ fault: "weak-key", file, text, cause });
    }
    const text = `OpenSSL refuses certificate and key (${reason}); have them issued anew`;
    throw new CredentialError({ fault: "refused", file, text, cause });
  }
}

async function chainWarnings(
  chain: readonly X509Certificate[],
  { file }: CredentialText,
): Promise<readonly (string | undefined)[]> {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return [];
  const broken = others.findIndex((issuer, index) => chain[index]?.checkIssued(issuer) !== true);
  // Node calls the extended usages keyUsage; absent, all are allowed.
  const usages: readonly string[] | undefined = leaf.keyUsage;
  const isForServers = usages === undefined || usages.includes(USAGE.server) || usages.includes(USAGE.any);
  return [
    altNames(leaf).some(({ kind }) => kind !== "email")
      ? undefined
      : `${file}: the certificate names no host in subjectAltName, so clients that check names refuse it; have it issued anew`,
    isForServers ? undefined : `${file}: the certificate is not meant for servers; clients that check this refuse it`,
    broken === -1
      ? undefined
      : `${file}: certificate ${broken + 2} did not sign number ${broken + 1}; each must be followed by the one that signed it`,
    await incompleteWarning(chain, file),
  ];
}

/** What certbot and others call `cert.pem` lacks the intermediates; many clients cannot do without. */
async function incompleteWarning(chain: readonly X509Certificate[], file: string): Promise<string | undefined> {
  const [leaf, another] = chain;
  if (leaf === undefined || another !== undefined || leaf.checkIssued(leaf) || basename(file) !== "cert.pem") {
    return undefined;
  }
  const full = join(dirname(file), "fullchain.pem");
  const isThere = await access(full).then(
    () => true,
    () => false,
  );
  return isThere ? `${file}: the intermediate certificates are missing; give ${full} instead` : undefined;
}

function soonWarning({ notAfter, source }: Credential, now: number): string | undefined {
  if (source === "made" || now > notAfter || notAfter - now > EXPIRY_WARNING_MS) return undefined;
  return `${source.cert}: the certificate expires on ${day(notAfter)}; renew it before`;
}

function namesOf(leaf: X509Certificate): readonly string[] {
  const alternative = altNames(leaf).filter(({ kind }) => kind !== "email");
  // Clients no longer look at the common name (RFC 9525 §2), but it still tells for which host an old one was meant.
  const written = alternative.length > 0 ? alternative.map(({ value }) => value) : [commonName(leaf) ?? ""];
  return [...new Set(written.map(plainName).filter((name) => name !== undefined))];
}

function day(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : "no known day";
}
