/** The certificates that a server serves: files that are read again when they change, or a pair of its own. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { faultMessage } from "../base/fault-text.ts";
import { type Credential, type CredentialRequest, loadCredential } from "../net/tls/credential.ts";
import { CredentialError } from "../net/tls/credential-fault.ts";
import { CredentialSet } from "../net/tls/credential-set.ts";
import { ownCredential } from "../net/tls/own-credential.ts";
import { type CredentialWatch, watchCredentials } from "../net/tls/watch-credentials.ts";
import { makeSelfSigned } from "../net/tls/self-signed.ts";
import type { TlsTerms } from "../net/tls/session.ts";
import type { TlsSettings } from "../server/tls-channel.ts";
import type { NewCredentials } from "./requests.ts";
import { tlsTermsOf } from "./tls-terms.ts";

export type CertificateTerms = {
  readonly settings: TlsSettings;
  /** Where the pair of our own is kept. */
  readonly stateFolder: string;
  /** Addresses and names by which clients come, for the pair of our own. */
  readonly names: readonly string[];
  /** New certificates are in force. */
  readonly onChange: (given: NewCredentials) => void;
  /** Certificates could not be read again; the old ones stay in force. Also what is odd with good ones. */
  readonly onWarning: (text: string) => void;
};

/** Milliseconds between two looks at the files of client authorities and revocations; as certificates are looked at. */
const TRUST_INTERVAL_MS = 10_000;

export class Certificates implements Disposable {
  readonly #terms: CertificateTerms;
  readonly #credentials: [Credential, ...Credential[]];
  /** What was wrong with them at the last look, so that it is told once. */
  #trustFault: string | undefined;
  #trust: Pick<NewCredentials, "clientAuthorities" | "clientRevocations">;
  #watches: CredentialWatch[] = [];
  readonly #timer: NodeJS.Timeout;
  /** Whether the certificate is one of our own making. */
  readonly selfSigned: boolean;
  #tlsTerms: TlsTerms;

  /** @throws {CredentialError} with file, what is wrong, and the cure. */
  static async open(terms: CertificateTerms): Promise<Certificates> {
    const requests = requestsOf(terms.settings);
    const now = Date.now();
    const trust = await readTrust(terms.settings);
    const [first, ...rest] = requests;
    if (first === undefined) {
      const own = await ownPair(terms);
      return new Certificates(terms, { credentials: [own], trust, requests });
    }
    const credentials: [Credential, ...Credential[]] = [await loadCredential(first, now)];
    for (const request of rest) credentials.push(await loadCredential(request, now));
    return new Certificates(terms, { credentials, trust, requests });
  }

  private constructor(
    terms: CertificateTerms,
    given: {
      credentials: [Credential, ...Credential[]];
      trust: Pick<NewCredentials, "clientAuthorities" | "clientRevocations">;
      requests: readonly CredentialRequest[];
    },
  ) {
    this.#terms = terms;
    this.#credentials = given.credentials;
    this.#trust = given.trust;
    this.selfSigned = given.requests.length === 0;
    this.#tlsTerms = this.#makeTerms();
    this.#timer = setInterval(() => void this.#lookAtTrust(), TRUST_INTERVAL_MS);
    this.#timer.unref();
    for (const { warnings } of given.credentials) warnings.forEach(terms.onWarning);
    this.#watches = given.requests.map((request, index) =>
      watchCredentials(request, {
        current: given.credentials[index] ?? given.credentials[0],
        onChange: (credential) => this.#replace(index, credential),
        onFault: (fault) => terms.onWarning(`${faultMessage(fault)}. The old certificate stays in force.`),
      }),
    );
  }

  /** Authorities and revocations, whose files nobody else watches. */
  async #lookAtTrust(): Promise<void> {
    try {
      const trust = await readTrust(this.#terms.settings);
      const isSame =
        trust.clientAuthorities === this.#trust.clientAuthorities &&
        trust.clientRevocations === this.#trust.clientRevocations;
      this.#trustFault = undefined;
      if (isSame) return;
      this.#trust = trust;
      this.#announce();
    } catch (error) {
      const fault = faultMessage(error);
      if (fault !== this.#trustFault) this.#terms.onWarning(`${fault}. The old one stays in force.`);
      this.#trustFault = fault;
    }
  }

  /** As they are now; connections that have begun keep theirs. */
  get terms(): TlsTerms {
    return this.#tlsTerms;
  }

  get current(): NewCredentials {
    return { credentials: this.#credentials, ...this.#trust };
  }

  /** Where the first certificate lies; undefined for one of this run alone. */
  get file(): string | undefined {
    const { source } = this.#credentials[0];
    return source === "made" ? undefined : source.cert;
  }

  /** Milliseconds since 1970 UTC at which the first certificate ends. */
  get until(): number {
    return this.#credentials[0].notAfter;
  }

  get fingerprint(): string {
    return this.#credentials[0].fingerprint;
  }

  /** SIGHUP: looks at all files now. Never rejects. */
  async reload(): Promise<void> {
    for (const watch of this.#watches) await watch.reloadNow();
    await this.#lookAtTrust();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }

  #replace(index: number, credential: Credential): void {
    this.#credentials[index] = credential;
    credential.warnings.forEach(this.#terms.onWarning);
    this.#announce();
  }

  #announce(): void {
    this.#tlsTerms = this.#makeTerms();
    this.#terms.onChange(this.current);
  }

  #makeTerms(): TlsTerms {
    return tlsTermsOf(new CredentialSet([...this.#credentials]), this.#terms.settings, this.#trust);
  }
}

function requestsOf({ cert, key, certificates }: TlsSettings): readonly CredentialRequest[] {
  if (cert === undefined && key !== undefined) {
    throw new CredentialError({
      fault: "missing",
      file: key,
      text: "a key without a certificate; add the option cert",
    });
  }
  const first = cert === undefined ? [] : [{ cert, ...(key === undefined ? {} : { key }) }];
  const others = certificates.map((text) => {
    const colon = text.indexOf(":");
    return colon === -1 ? { cert: text } : { cert: text.slice(0, colon), key: text.slice(colon + 1) };
  });
  return [...first, ...others];
}

async function ownPair({ stateFolder, names, onWarning }: CertificateTerms): Promise<Credential> {
  const all = [...new Set([hostname(), "localhost", "127.0.0.1", "::1", ...names])];
  try {
    return (await ownCredential(stateFolder, { names: all, now: Date.now() })).credential;
  } catch (error) {
    onWarning(
      `No certificate can be kept in ${stateFolder} (${faultMessage(error)}): a new one is made at each start.`,
    );
    return passingCredential();
  }
}

/** For this run alone; days as an own pair has at least. */
function passingCredential(): Credential {
  const names = ["localhost", "127.0.0.1", "::1"];
  const { cert, key } = makeSelfSigned({ names, days: 30, now: Date.now() });
  const certificate = new X509Certificate(cert);
  return {
    cert,
    key,
    names,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256,
    subject: certificate.subject,
    source: "made",
    warnings: [],
  };
}

async function readTrust({
  clientCa,
  clientRevocations,
}: TlsSettings): Promise<Pick<NewCredentials, "clientAuthorities" | "clientRevocations">> {
  return {
    ...(clientCa === undefined ? {} : { clientAuthorities: await readPem(clientCa, "CERTIFICATE") }),
    ...(clientRevocations === undefined ? {} : { clientRevocations: await readPem(clientRevocations, "X509 CRL") }),
  };
}

async function readPem(file: string, label: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new CredentialError({ fault: "unreadable", file, text: `cannot be read (${faultMessage(error)})` });
  });
  if (text.includes(`-----BEGIN ${label}-----`)) return text;
  throw new CredentialError({ fault: "not-a-certificate", file, text: `holds no "BEGIN ${label}" in PEM form` });
}
