/** The names in a certificate's subjectAltName (RFC 5280 §4.2.1.6), out of the one line that Node makes of them. */
import type { X509Certificate } from "node:crypto";

export type AltName = { readonly kind: "dns" | "ip" | "email"; readonly value: string };

const KINDS: Readonly<Record<string, AltName["kind"]>> = { DNS: "dns", "IP Address": "ip", email: "email" };

/**
 * DNS names, addresses and mail addresses, in their order; other kinds are left out. A value is what the certificate
 * holds, down to control characters: whoever believes it checks it.
 */
export function altNames({ subjectAltName = "" }: X509Certificate): readonly AltName[] {
  // Node writes a value with a comma, a quote or anything strange as a JSON string, so that no value can look like two.
  const found = subjectAltName.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy);
  return [...found].flatMap(([, name = "", written = ""]) => {
    const kind = KINDS[name];
    const value = written.startsWith('"') ? unquoted(written) : written;
    return kind === undefined || value === undefined ? [] : [{ kind, value }];
  });
}

function unquoted(written: string): string | undefined {
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
