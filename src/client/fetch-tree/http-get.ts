/** One request of HTTP: redirects one by one, each judged by the caller; waits that end; failures as `FtpError` (RFC 9110). */
import { setTimeout as delay } from "node:timers/promises";
import { FtpError, type FtpErrorCode, printable } from "../errors.ts";
import { REPLY_WAIT_MS, STALL_MS } from "../limits.ts";
import { within } from "../waits.ts";
import { REDIRECTS, RETRY_AFTER_MS } from "./limits.ts";
import type { FetchOptions } from "./types.ts";

export type Got = {
  /** Where the redirects led. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  /** Chunks of the body; leaving early ends the request. @throws {FtpError} STALLED, RESET; the signal's reason. */
  body(): AsyncGenerator<Buffer>;
  /** Gives the body up. */
  cancel(): Promise<void>;
};

export type HttpTerms = {
  readonly options: FetchOptions;
  readonly signal: AbortSignal | undefined;
  /** Name and password of the first URL go to its own host alone, and never from TLS to clear text. */
  readonly login: { readonly origin: URL; readonly authorization: string | undefined };
};

/** A redirect that the caller does not follow. */
export class RedirectRefused extends Error {
  override readonly name = "RedirectRefused";
  readonly url: URL;

  constructor(url: URL) {
    super("a redirect leads elsewhere");
    this.url = url;
  }
}

export type Asking = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a redirect is followed. */
  readonly follows: (url: URL) => boolean | Promise<boolean>;
};

export class HttpClient {
  readonly #terms: HttpTerms;

  constructor(terms: HttpTerms) {
    this.#terms = terms;
  }

  /**
   * Status 2xx and 304 are answers; 3xx are followed.
   * @throws {FtpError} for all others, RedirectRefused, or the signal's reason.
   */
  async get(start: URL, { headers = {}, follows }: Asking): Promise<Got> {
    let url = start;
    for (let hops = 0; hops <= REDIRECTS; hops += 1) {
      const got = await this.#once(url, headers);
      const target = REDIRECTING.has(got.status) ? got.headers.get("location") : null;
      if (target === null) {
        if (got.status < 300 || got.status === 304) return got;
        throw await this.#refused(got);
      }
      await got.cancel();
      const next = URL.canParse(target, url.href) ? new URL(target, url) : undefined;
      if (next === undefined || !/^https?:$/.test(next.protocol)) {
        throw new FtpError("PROTOCOL", `${shownUrl(url)} leads to no address of HTTP`, {
          phase: "command",
        });
      }
      next.hash = "";
      if (!(await follows(next))) throw new RedirectRefused(next);
      url = next;
    }
    throw new FtpError("PROTOCOL", `${shownUrl(start)}: more than ${REDIRECTS} redirects`, {
      phase: "command",
    });
  }

  async #once(url: URL, headers: Readonly<Record<string, string>>): Promise<Got> {
    const { options, signal: own } = this.#terms;
    const stop = new AbortController();
    const signal = own === undefined ? stop.signal : AbortSignal.any([own, stop.signal]);
    const ms = options.replyMs ?? REPLY_WAIT_MS;
    const bare = new URL(url);
    bare.username = "";
    bare.password = "";
    const work = fetch(bare, {
      redirect: "manual",
      signal,
      headers: { ...BASE_HEADERS, ...this.#own(url), ...headers },
    });
    try {
      const response = await within(work, ms, {
        signal: own,
        late: () => ({ what: `${shownUrl(url)} did not answer`, phase: "command" }),
      });
      return this.#got(url, response, stop);
    } catch (error) {
      stop.abort();
      work.catch(() => {});
      own?.throwIfAborted();
      throw error instanceof FtpError ? error : networkFault(error, shownUrl(url));
    }
  }

  #own(url: URL): Readonly<Record<string, string>> {
    const { options, login } = this.#terms;
    const isDowngrade = login.origin.protocol === "https:" && url.protocol !== "https:";
    if (url.hostname !== login.origin.hostname || isDowngrade) return {};
    return { ...options.headers, ...(login.authorization === undefined ? {} : { authorization: login.authorization }) };
  }

  #got(url: URL, response: Response, stop: AbortController): Got {
    const { options, signal } = this.#terms;
    const stallMs = options.stallMs ?? STALL_MS;
    const what = shownUrl(url);
    return {
      url,
      status: response.status,
      headers: response.headers,
      async cancel() {
        await response.body?.cancel().catch(() => {});
        stop.abort();
      },
      async *body() {
        const reader = response.body?.getReader();
        if (reader === undefined) return;
        try {
          for (;;) {
            const { done, value } = await within(reader.read(), stallMs, {
              signal,
              late: () => ({ what: `no octet of ${what} came`, phase: "transfer", connection: "data" }),
            });
            if (done) return;
            yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
          }
        } catch (error) {
          signal?.throwIfAborted();
          throw error instanceof FtpError ? stalled(error) : networkFault(error, what, "transfer");
        } finally {
          stop.abort();
        }
      },
    };
  }

  /** What the status says. A server that asks for a pause gets it, within bounds (RFC 9110 §10.2.3). */
  async #refused(got: Got): Promise<FtpError> {
    await got.cancel();
    const { status, headers, url } = got;
    const [code, words] = MEANINGS[status] ?? [status >= 500 ? "BUSY" : "DENIED", "the server refuses"];
    const wait = Number(headers.get("retry-after"));
    if (PAUSING.has(status) && wait > 0) {
      await delay(Math.min(wait * 1_000, RETRY_AFTER_MS), undefined, { signal: this.#terms.signal });
    }
    return new FtpError(code, `${shownUrl(url)}: ${status}, ${words}`, {
      phase: "command",
      retryable: PASSING.has(status),
    });
  }
}

/** No compression: what is on the way has the size that was said, and can be gone on with. */
const BASE_HEADERS = { "user-agent": "ferryman", accept: "*/*", "accept-encoding": "identity" };
const REDIRECTING: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const PAUSING: ReadonlySet<number> = new Set([429, 503]);
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

const MEANINGS: Readonly<Record<number, readonly [FtpErrorCode, string]>> = {
  400: ["DENIED", "the server does not understand this address"],
  401: ["AUTH", "a name and password are wanted: write http://user:password@host/"],
  403: ["DENIED", "the server refuses"],
  404: ["NOT_FOUND", "there is no such page or file"],
  407: ["AUTH", "the proxy wants a name and password"],
  408: ["BUSY", "the server was waiting for too long"],
  410: ["NOT_FOUND", "it is gone"],
  416: ["MISMATCH", "it is shorter than what is here"],
  429: ["BUSY", "too many requests"],
  451: ["DENIED", "not to be had for legal reasons"],
  500: ["BUSY", "the server has failed"],
  502: ["BUSY", "the server behind it has failed"],
  503: ["BUSY", "the server is too busy"],
  504: ["BUSY", "the server behind it did not answer"],
};

/** Codes of the system, of Node's TLS and of its HTTP client. */
const CAUSES: readonly (readonly [RegExp, FtpErrorCode, string])[] = [
  [/^ENOTFOUND$|^EAI_/, "UNREACHABLE", "there is no such host, or its name server does not answer"],
  [/^ECONNREFUSED$/, "UNREACHABLE", "connection refused"],
  [/^E(?:HOST|NET)UNREACH$/, "UNREACHABLE", "no way to the host"],
  [/^ETIMEDOUT$|CONNECT_TIMEOUT/, "TIMEOUT", "no answer"],
  [/^HPE_|INVALID_ARG|NOT_SUPPORTED|HEADERS_OVERFLOW/, "PROTOCOL", "what the server sent is no HTTP"],
  [/SELF_SIGNED|CERT|ISSUER|ALTNAME|UNABLE_TO|DEPTH_ZERO/, "TLS_UNTRUSTED", "its certificate is not believed"],
  [/^ERR_SSL|^ERR_TLS|^EPROTO$/, "TLS_FAILED", "the TLS handshake failed"],
  [/TIMEOUT/, "TIMEOUT", "no answer"],
];

function networkFault(error: unknown, what: string, phase: "connect" | "transfer" = "connect"): FtpError {
  const code = codeOf(error);
  const [, found, words] = CAUSES.find(([pattern]) => pattern.test(code)) ?? [
    undefined,
    "RESET" as const,
    "the connection was cut",
  ];
  return new FtpError(found, `${what}: ${words}`, {
    phase,
    connection: phase === "transfer" ? "data" : "control",
    cause: error,
  });
}

/** A body that does not go on. */
function stalled({ message, cause }: FtpError): FtpError {
  return new FtpError("STALLED", message, { phase: "transfer", connection: "data", cause });
}

/** The innermost code: `fetch` wraps what has happened. */
function codeOf(error: unknown): string {
  let code = "";
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ("code" in at && typeof at.code === "string") code = at.code;
  }
  return code;
}

/** Without the password, for messages. */
export function shownUrl(url: URL): string {
  const bare = new URL(url);
  bare.password = "";
  bare.username = "";
  return printable(bare.href);
}
