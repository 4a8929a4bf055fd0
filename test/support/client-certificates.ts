/** An authority for client certificates, made at run time, which can revoke them. */
import { X509Certificate, sign } from "node:crypto";
import { basicConstraints, commonNames, signCertificate } from "../../src/net/tls/certificate.ts";
import { bitString, integer, oid, sequence, time } from "../../src/net/tls/der.ts";
import { pemOf } from "../../src/net/tls/pem.ts";
import { newKey, newSerial } from "../../src/net/tls/self-signed.ts";
import { type Authority, type Issued, issue, pemKey } from "../../src/net/tls/test-tools.ts";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const DAY_MS = 86_400_000;

export type ClientAuthority = {
  /** PEM, for `clientAuthorities`. */
  readonly pem: string;
  readonly issue: (name: string) => Issued;
  /** PEM, for `clientRevocations`. */
  readonly revoke: (...certificates: readonly Issued[]) => string;
};

export function clientAuthority(): ClientAuthority {
  const own = signingAuthority("Clients of the tests");
  return {
    pem: own.pem,
    issue: (name) =>
      issue({
        subject: commonNames(name),
        names: [],
        by: own,
        notBefore: Date.now() - DAY_MS,
        notAfter: Date.now() + DAY_MS,
      }),
    revoke: (...certificates) => revocations(own, certificates),
  };
}

/** Without key usages: OpenSSL takes no list from an authority whose usages leave cRLSign out. */
function signingAuthority(common: string): Authority {
  const keyObject = newKey();
  const name = commonNames(common);
  const der = signCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      notBefore: Date.now() - DAY_MS,
      notAfter: Date.now() + DAY_MS,
      publicKey: keyObject,
      extensions: [basicConstraints(true)],
    },
    keyObject,
  );
  return { pem: pemOf("CERTIFICATE", der), key: pemKey(keyObject), keyObject, name };
}

/** RFC 5280 §5.1, version 1: no extensions. */
function revocations(by: Authority, certificates: readonly Issued[]): string {
  const now = Date.now();
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const entries = certificates.map(({ pem }) =>
    sequence(integer(BigInt(`0x${new X509Certificate(pem).serialNumber}`)), time(now - DAY_MS)),
  );
  const list = sequence(
    algorithm,
    by.name,
    time(now - DAY_MS),
    time(now + DAY_MS),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
  );
  return pemOf("X509 CRL", sequence(list, algorithm, bitString(sign("sha256", list, by.keyObject))));
}
