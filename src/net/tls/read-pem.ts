/** The certificates and the key in a file's text; for each common mix-up the sentence that gets one out of it. */
import { type KeyObject, X509Certificate, createPrivateKey } from "node:crypto";
import { CredentialError } from "./credential-fault.ts";
import { type CredentialText, shellWord } from "./credential-file.ts";
import { CHAIN_LIMIT, RSA_BITS } from "./limits.ts";
import { type PemBlock, pemBlocks } from "./pem.ts";

/** The second is of old programs. */
const CERTIFICATES: ReadonlySet<string> = new Set(["CERTIFICATE", "X509 CERTIFICATE"]);
/** Elliptic curves of OpenSSL's security level 2: 224 bits and more; those that all clients know. */
const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);
/** The first octet of a SEQUENCE in DER: certificates, keys and PKCS#12 begin with it. */
const DER_START = 0x30;

/**
 * The certificates in their order: 1 to `CHAIN_LIMIT`.
 * @param key where the key should be, to see whether the two were mixed up.
 * @throws {CredentialError} "not-a-certificate", "too-many-certificates".
 */
export function readChain(cert: CredentialText, key: CredentialText): readonly X509Certificate[] {
  const blocks = pemBlocks(cert.text);
  const found = blocks.filter(({ label }) => CERTIFICATES.has(label));
  if (found.length === 0) {
    throw new CredentialError({ fault: "not-a-certificate", file: cert.file, text: whyNone(cert, { blocks, key }) });
  }
  if (found.length > CHAIN_LIMIT) {
    const text = `${found.length} certificates; keep the server's and those that lead to its root, ${CHAIN_LIMIT} at most`;
    throw new CredentialError({ fault: "too-many-certificates", file: cert.file, text });
  }
  return found.map((block, index) => {
    try {
      return new X509Certificate(block.text.replace("X509 CERTIFICATE", "CERTIFICATE"));
    } catch (cause) {
      const text = `certificate ${index + 1} is damaged; copy the file again`;
      throw new CredentialError({ fault: "not-a-certificate", file: cert.file, text, cause });
    }
  });
}

function whyNone(cert: CredentialText, { blocks, key }: { blocks: readonly PemBlock[]; key: CredentialText }): string {
  const name = shellWord(cert.file);
  if (blocks.some(({ label }) => label.endsWith("CERTIFICATE REQUEST"))) {
    return "this is the request for a certificate; send it to your authority and give the certificate that comes back";
  }
  if (blocks.some(isPrivateKey)) {
    const isSwapped = pemBlocks(key.text).some(({ label }) => CERTIFICATES.has(label));
    return isSwapped && key.file !== cert.file
      ? `this is the private key, and ${key.file} is the certificate; give them the other way round`
      : "this is a private key and no certificate; give the certificate's file too";
  }
  if (cert.octets[0] !== DER_START)
    return "no certificate in it; give a PEM file, which begins with -----BEGIN CERTIFICATE-----";
  return isDer(cert.octets)
    ? `the certificate is in DER form; run: openssl x509 -inform der -in ${name} -out ${name}.pem`
    : `not a PEM file; if it is PKCS#12 (.p12, .pfx), run: openssl pkcs12 -in ${name} -out ${name}.pem -nodes`;
}

function isDer(octets: Buffer): boolean {
  try {
    return new X509Certificate(octets).raw.length > 0;
  } catch {
    return false;
  }
}

function isPrivateKey({ label }: PemBlock): boolean {
  return label.endsWith("PRIVATE KEY");
}

/**
 * The first private key of a file, if TLS servers can use it.
 * @throws {CredentialError} "not-a-key", "encrypted-key", "wrong-passphrase", "weak-key".
 */
export function readKey({ file, text, octets }: CredentialText, passphrase: string | undefined): KeyObject {
  const blocks = pemBlocks(text);
  const block = blocks.find(isPrivateKey);
  if (block === undefined) {
    throw new CredentialError({ fault: "not-a-key", file, text: whyNoKey(octets, { blocks, file }) });
  }
  if (block.label === "OPENSSH PRIVATE KEY") {
    const why = "this is a key of SSH, and TLS needs the certificate's own; give the key that was made with it";
    throw new CredentialError({ fault: "not-a-key", file, text: why });
  }
  const isEncrypted = block.label === "ENCRYPTED PRIVATE KEY" || /^Proc-Type: *4, *ENCRYPTED/m.test(block.text);
  if (isEncrypted && passphrase === undefined) {
    const name = shellWord(file);
    const why = `the private key is encrypted; give its passphrase, or run: openssl pkey -in ${name} -out ${name}.plain`;
    throw new CredentialError({ fault: "encrypted-key", file, text: why });
  }
  const key = openKey(block.text, { file, isEncrypted, passphrase });
  checkStrength(key, file);
  return key;
}

type KeyTerms = { readonly file: string; readonly isEncrypted: boolean; readonly passphrase: string | undefined };

function openKey(text: string, { file, isEncrypted, passphrase }: KeyTerms): KeyObject {
  try {
    // A passphrase that a plain key does not need is no fault.
    return createPrivateKey(isEncrypted ? { key: text, passphrase: passphrase ?? "" } : text);
  } catch (cause) {
    if (isEncrypted) {
      const why = "the passphrase does not open the private key; check it, and whether it is the right file";
      throw new CredentialError({ fault: "wrong-passphrase", file, text: why, cause });
    }
    throw new CredentialError({
      fault: "not-a-key",
      file,
      text: "the private key is damaged; copy the file again",
      cause,
    });
  }
}

function whyNoKey(octets: Buffer, { blocks, file }: { blocks: readonly PemBlock[]; file: string }): string {
  const name = shellWord(file);
  if (blocks.some(({ label }) => label.endsWith("PUBLIC KEY"))) {
    return "this is a public key; give the private one that it was made from";
  }
  if (blocks.some(({ label }) => CERTIFICATES.has(label))) {
    return "a certificate, but no private key in it; give the key's file too";
  }
  if (octets[0] !== DER_START)
    return "no private key in it; give a PEM file, which has a line -----BEGIN PRIVATE KEY-----";
  return `not a PEM file; if it is a key in DER form, run: openssl pkey -inform der -in ${name} -out ${name}.pem`;
}

function checkStrength(key: KeyObject, file: string): void {
  const { asymmetricKeyType: type = "", asymmetricKeyDetails: { modulusLength = 0, namedCurve = "" } = {} } = key;
  if (type === "ed25519" || type === "ed448") return;
  if (type === "rsa" || type === "rsa-pss") {
    if (modulusLength >= RSA_BITS) return;
    const text = `an RSA key of ${modulusLength} bits is too weak; make one of ${RSA_BITS} bits or more and a certificate for it`;
    throw new CredentialError({ fault: "weak-key", file, text });
  }
  if (type === "ec" && CURVES.has(namedCurve)) return;
  const what = type === "ec" ? `a key on the curve ${namedCurve}` : `a key of the kind ${type}`;
  const text = `${what} is not for TLS servers; make one of the kind EC (P-256) or RSA (${RSA_BITS} bits)`;
  throw new CredentialError({ fault: "weak-key", file, text });
}
