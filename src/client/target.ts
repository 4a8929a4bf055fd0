/** Where a client goes and as whom: what the URL says, unless the options say otherwise. */
import { FtpError } from "./errors.ts";
import { parseProxy } from "./proxy.ts";
import type { ConnectOptions, TlsMode, TlsOptions } from "./types.ts";
import { type FtpUrl, parseFtpUrl } from "./url.ts";

export type Target = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly account: string | undefined;
  readonly tlsMode: TlsMode;
  readonly tlsOptions: TlsOptions;
  /** What is dialled: the host, or the proxy that speaks FTP. */
  readonly dialled: { readonly host: string; readonly port: number };
};

/** As browsers and mirrors do: a guest says something that looks like an address (RFC 1635). */
const GUEST_PASSWORD = "anonymous@";
const [CONTROL_PORT, IMPLICIT_PORT] = [21, 990];

/** @throws {FtpError} USAGE. */
export function targetOf(text: string, options: ConnectOptions): Target {
  const url = parseFtpUrl(text);
  const { mode, tls } = tlsOf(url, options);
  const host = options.host ?? url.host;
  const port = options.port ?? url.port ?? (mode === "implicit" ? IMPLICIT_PORT : CONTROL_PORT);
  const user = options.user ?? url.user ?? "anonymous";
  const password = options.password ?? url.password ?? (user === "anonymous" || user === "ftp" ? GUEST_PASSWORD : "");
  const proxy = options.proxy === undefined ? undefined : parseProxy(options.proxy);
  return {
    host,
    port,
    user,
    password,
    tlsOptions: tls,
    account: options.account ?? url.account,
    tlsMode: mode,
    dialled: proxy?.kind === "ftp" ? { host: proxy.host, port: proxy.port } : { host, port },
  };
}

const BY_SCHEME: Readonly<Record<FtpUrl["scheme"], TlsMode>> = { ftp: "auto", ftpes: "explicit", ftps: "implicit" };

function tlsOf({ scheme, fingerprint }: FtpUrl, options: ConnectOptions): { mode: TlsMode; tls: TlsOptions } {
  const given = typeof options.tls === "string" ? { mode: options.tls } : (options.tls ?? {});
  const { mode = BY_SCHEME[scheme], ...tls } = given;
  if (scheme !== "ftp" && mode === "off") {
    throw new FtpError("USAGE", `${scheme}:// asks for TLS and the options for none`, {
      phase: "connect",
      hint: "write ftp://",
    });
  }
  const pin = tls.fingerprint ?? fingerprint;
  // Whoever says whom to believe wants that server, or nothing.
  const isDemanded = pin !== undefined || tls.ca !== undefined || tls.cert !== undefined || tls.trust === "ca";
  return { mode: mode === "auto" && isDemanded ? "explicit" : mode, tls: { ...tls, fingerprint: pin } };
}
