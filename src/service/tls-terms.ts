/** From options and certificates to what a TLS session needs. */
import type { CredentialSet } from "../net/tls/credential-set.ts";
import type { TlsTerms } from "../net/tls/session.ts";
import type { TlsSettings } from "../server/tls-channel.ts";

/** Texts of files: PEM. */
export type ClientTrust = { readonly clientAuthorities?: string; readonly clientRevocations?: string };

export function tlsTermsOf(
  credentials: CredentialSet,
  { tlsMinimum, clientCertificates }: TlsSettings,
  { clientAuthorities, clientRevocations }: ClientTrust,
): TlsTerms {
  return {
    credentials,
    minimum: `TLSv${tlsMinimum}`,
    clientCertificates,
    ...(clientAuthorities === undefined ? {} : { clientAuthorities }),
    ...(clientRevocations === undefined ? {} : { clientRevocations }),
  };
}
