/**
 * How an FTP proxy, which is an FTP server to us, is told where to go and as whom: the "classical" proxies of RFC 1919,
 * whose forms no standard fixes. A pure function; the login sends what it says in place of USER and PASS.
 */
import { showEndpoint } from "../net/addresses.ts";
import { FtpError } from "./errors.ts";
import { ARGUMENT_MOST } from "./limits.ts";
import type { ProxyOptions } from "./types.ts";

export type ProxyStyle = NonNullable<ProxyOptions["style"]>;

export type ProxyLoginTerms = {
  /** Default "user@host". */
  readonly style?: ProxyStyle | undefined;
  /** Of the host behind the proxy. */
  readonly user: string;
  readonly password: string;
  readonly account?: string | undefined;
  readonly target: { readonly host: string; readonly port: number };
  /** Of the proxy itself, where it wants a login. */
  readonly proxyUser?: string | undefined;
  readonly proxyPassword?: string | undefined;
};

export type LoginStep = {
  readonly verb: "USER" | "PASS" | "ACCT" | "SITE" | "OPEN";
  readonly argument: string;
  /**
   * "always" it goes out; "331" only when the step before was answered with that, "332" with that (RFC 959 §5.4): a 230
   * means that nothing more is wanted.
   */
  readonly when: "always" | "331" | "332";
  /** The proxy's 220 or 230 for the host may bring the host's greeting: what ends here is the login at the proxy. */
  readonly of: "proxy" | "host";
};

/** Port that is left out, as these proxies take it for granted. */
const FTP_PORT = 21;

/**
 * The commands in their order. Each waits for its reply; 4xx and 5xx end the login.
 * - "user@host": `USER ann@host`, with `:port` where it is not 21; "user@host:port" with the port always.
 * - "site": `SITE host`, "open": `OPEN host`, then the host's own USER and PASS.
 * - "user@proxyuser@host": both logins in one, `USER ann@proxyuser@host` and `PASS secret@proxysecret`.
 * With a proxy user the first four begin with the proxy's USER and PASS.
 * @throws {FtpError} USAGE for what no command can carry, or a style that needs a proxy user and has none.
 */
export function proxyLogin(terms: ProxyLoginTerms): readonly LoginStep[] {
  const { style = "user@host", user, password, target } = terms;
  const steps = stepsOf({ ...terms, style, user, password, target });
  for (const { verb, argument } of steps) {
    // oxlint-disable-next-line no-control-regex -- control characters are what is meant
    if (/[\0\r\n]/.test(argument)) throw wrong(`${verb} for the proxy would hold a line end or NUL`);
    if (Buffer.byteLength(argument) > ARGUMENT_MOST)
      throw wrong(`${verb} for the proxy is longer than ${ARGUMENT_MOST} octets`);
  }
  return steps;
}

function stepsOf(terms: ProxyLoginTerms): readonly LoginStep[] {
  const { user, password, target } = terms;
  const plain = showHost(target.host);
  const short = target.port === FTP_PORT ? plain : showEndpoint({ address: target.host, port: target.port });
  switch (terms.style) {
    case "site":
    case "open": {
      const verb = terms.style === "site" ? "SITE" : "OPEN";
      const argument = target.port === FTP_PORT ? target.host : `${target.host} ${target.port}`;
      return [...atProxy(terms), { verb, argument, when: "always", of: "host" }, ...atHost(terms, { user, password })];
    }
    case "user@proxyuser@host": {
      const { proxyUser, proxyPassword = "" } = terms;
      if (proxyUser === undefined) {
        throw wrong(
          'the proxy style "user@proxyuser@host" needs a login in the proxy\'s URL: ftp://user:password@proxy',
        );
      }
      return atHost(terms, { user: `${user}@${proxyUser}@${short}`, password: `${password}@${proxyPassword}` });
    }
    case "user@host:port": {
      const host = showEndpoint({ address: target.host, port: target.port });
      return [...atProxy(terms), ...atHost(terms, { user: `${user}@${host}`, password })];
    }
    default:
      return [...atProxy(terms), ...atHost(terms, { user: `${user}@${short}`, password })];
  }
}

function showHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function atProxy({ proxyUser, proxyPassword = "" }: ProxyLoginTerms): readonly LoginStep[] {
  if (proxyUser === undefined) return [];
  return [
    { verb: "USER", argument: proxyUser, when: "always", of: "proxy" },
    { verb: "PASS", argument: proxyPassword, when: "331", of: "proxy" },
  ];
}

function atHost(
  { account }: ProxyLoginTerms,
  { user, password }: { user: string; password: string },
): readonly LoginStep[] {
  return [
    { verb: "USER", argument: user, when: "always", of: "host" },
    { verb: "PASS", argument: password, when: "331", of: "host" },
    ...(account === undefined ? [] : [{ verb: "ACCT", argument: account, when: "332", of: "host" } as const]),
  ];
}

function wrong(message: string): FtpError {
  return new FtpError("USAGE", message, { phase: "login" });
}
