/** The way to a server as a program may choose it: TLS, proxies, data connections. Published by `types.ts`. */
import type { DataMode } from "./errors.ts";

/** How much of TLS: "auto" asks for it and goes on in clear text, with an event that says so, where it is not offered. */
export type TlsMode = "off" | "auto" | "explicit" | "implicit";

export type TlsOptions = {
  /** PEM of authorities in place of those that Node knows. */
  readonly ca?: string | readonly string[] | undefined;
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  /** SHA-256 of the server's certificate, hex with or without colons: nothing else is believed then. */
  readonly fingerprint?: string | undefined;
  /**
   * Who is believed beside a certificate that the authorities vouch for: "ca" nobody; "first-use" an unknown host once, and
   * afterwards the same certificate only; "any" everybody (for tries). Default: "ca"; "first-use" where the mode is "auto",
   * which would go on in clear text as well.
   */
  readonly trust?: "ca" | "first-use" | "any" | undefined;
  /** The least version. Default TLSv1.2. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** Data connections: "private" PROT P (default with TLS), "clear" PROT C. */
  readonly data?: "private" | "clear" | undefined;
  /** Name for SNI and for the check of the certificate. Default: the host. */
  readonly serverName?: string | undefined;
};

/** Ways through: a URL `http://`, `https://` (CONNECT), `socks5://`, `socks5h://`, or of an FTP proxy `ftp://`. */
export type ProxyOptions = {
  readonly url: string;
  /** How an FTP proxy is told the true host. Default "user@host". */
  readonly style?: "user@host" | "user@host:port" | "site" | "open" | "user@proxyuser@host" | undefined;
};

export type DataOptions = {
  /** In this order, and no others. Default: all four, beginning with what worked for this host before. */
  readonly modes?: readonly DataMode[] | undefined;
  /** Milliseconds for which a passive port may be silent before the next mode joins. Default `MODE_WAIT_MS`. */
  readonly waitMs?: number | undefined;
  /** Our address as the server sees it, for EPRT and PORT behind a NAT. Default: that of the control connection. */
  readonly activeAddress?: string | undefined;
  /** Ports on which to wait in active mode. Default: any. */
  readonly activePorts?: { readonly from: number; readonly to: number } | undefined;
  /**
   * Active mode behind a NAT asks the router for a port that leads to ours (PCP, NAT-PMP), unless there is an
   * `activeAddress`. Default true.
   */
  readonly portMapping?: boolean | undefined;
  /** Connects where a 227 says, though it is not the server's host. Default false: its own host is used (attack 64). */
  readonly trustPasvAddress?: boolean | undefined;
};
