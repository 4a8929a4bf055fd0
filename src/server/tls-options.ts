/** The options of TLS (RFC 4217): section [tls]. */
import { z } from "zod";
import { option } from "../base/option.ts";

/** Longest path of a file: PATH_MAX of Linux. */
const path = z.string().min(1).max(4_096);

/** From nothing to everything: each level asks what the ones before it ask, and more. */
export const TLS_LEVELS = ["off", "allow", "require", "require-data"] as const;
export type TlsLevel = (typeof TLS_LEVELS)[number];

/** The stricter of two. */
export function stricter(one: TlsLevel, other: TlsLevel | undefined): TlsLevel {
  return other !== undefined && TLS_LEVELS.indexOf(other) > TLS_LEVELS.indexOf(one) ? other : one;
}

export function isAtLeast(level: TlsLevel, least: TlsLevel): boolean {
  return TLS_LEVELS.indexOf(level) >= TLS_LEVELS.indexOf(least);
}

export const TLS_OPTIONS = {
  tls: option(
    z.enum(TLS_LEVELS).default("allow"),
    "off, allow, require (for logins), or require-data (for files and listings too)",
    { source: "features.md C1; RFC 4217 §10.1: clients decide unless the admin does" },
  ),
  anonymousTls: option(z.enum(TLS_LEVELS).optional(), "The same for guests; absent: as `tls` says", {
    source: "features.md C1",
  }),
  cert: option(path.optional(), "Certificate file (PEM, the server's own first); absent: self-signed, made by us", {
    source: "features.md C1",
  }),
  key: option(path.optional(), "Private key file (PEM); absent: in the certificate's file", {
    source: "features.md C1",
  }),
  certificates: option(
    z.array(path).max(100).default([]),
    "More certificates for other host names, each `CERT:KEY` or one file with both; chosen by SNI and by HOST",
    { source: "features.md C1; RFC 6066 §3, RFC 7151 §3.2" },
  ),
  tlsMinimum: option(z.enum(["1.2", "1.3"]).default("1.2"), "The lowest TLS version that is spoken", {
    source: "RFC 8996: 1.0 and 1.1 are dead; many devices know no 1.3",
  }),
  handshakeTimeout: option(z.int().min(1).max(300).default(20), "Time for a TLS handshake", {
    unit: "s",
    source: "attack 54; two round trips on the worst of lines, with room for retries",
  }),
  dataBinding: option(
    z.enum(["require", "prefer", "off"]).default("prefer"),
    "Whether a TLS data connection must resume the TLS session of its control connection",
    { source: "design.md: curl on TLS 1.3 resumes every second time only, Python's ftplib never" },
  ),
  requireCloseNotify: option(
    z.boolean().default(true),
    "Publish a TLS upload only when the client ends TLS properly, so that a cut connection never counts as an end",
    { source: "attack 14; false is for devices that just close" },
  ),
  ccc: option(z.boolean().default(false), "Let clients take TLS off the control connection after the login (CCC)", {
    source: "RFC 4217 §5: off, as commands can be read and forged then",
  }),
  clientCertificates: option(
    z.enum(["off", "request", "require"]).default("off"),
    "Whether clients are asked for a certificate of their own",
    { source: "features.md C1" },
  ),
  clientCa: option(path.optional(), "File with the authorities (PEM) whose client certificates count", {
    source: "features.md C1",
  }),
  clientRevocations: option(path.optional(), "File with revoked client certificates (CRL, PEM)", {
    source: "attack 15",
  }),
  certificateLogin: option(
    z.enum(["off", "match", "instead"]).default("off"),
    "What a client certificate means: nothing, it must name the user, or it stands for the password too",
    { source: "RFC 4217 §15.1.2; RFC 2228 §3: 232" },
  ),
  certificateName: option(
    z.enum(["cn", "email", "dns", "subject"]).default("cn"),
    "What in a client certificate is the user name",
    { source: "features.md C1" },
  ),
} as const;
