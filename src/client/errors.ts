/** What can go wrong for a client, as one tree: where it failed, at which command, what the server said, what may help. */
import type { ByteString } from "../base/bytes.ts";
import { withoutPasswords } from "../base/masked.ts";

/** What went wrong, in a word that programs may compare. */
export type FtpErrorCode =
  /** The name and password were refused (530, 430). */
  | "AUTH"
  /** There is no such file or folder, or the server will not say (550). */
  | "NOT_FOUND"
  | "EXISTS"
  /** The server knows the file and refuses (550, 553, 534 …). */
  | "DENIED"
  | "QUOTA"
  | "NO_SPACE"
  /** Too many clients or too much load: try again later (421, 450, 10068 of "too many"). */
  | "BUSY"
  /** No data connection came about, in none of the modes that were allowed. */
  | "DATA_BLOCKED"
  | "TLS_UNTRUSTED"
  /** The server wants the data connection to resume the session of the control connection (522, 425, 450 …). */
  | "TLS_RESUME_REQUIRED"
  /** This server spoke TLS before and does not now, or TLS was asked for and is not offered. */
  | "TLS_DOWNGRADE"
  | "TLS_FAILED"
  | "TIMEOUT"
  /** A transfer that moved no octet for as long as `stallMs`. */
  | "STALLED"
  | "ABORTED"
  /** The connection was refused, cut, or could not be made. */
  | "UNREACHABLE"
  | "RESET"
  /** The server says what no server may say: broken replies, endless ones, a wrong address. */
  | "PROTOCOL"
  | "UNSUPPORTED"
  /** Size or digest of what arrived is not that of what was sent. */
  | "MISMATCH"
  /** A name of the server's that must not become a file here, or of the caller's that no line can carry. */
  | "UNSAFE_NAME"
  | "LOCAL_IO"
  /** One of our own limits: of a listing, a reply, a file that was to lie in memory. */
  | "LIMIT"
  | "USAGE";

/** How far it had come. */
export type FtpPhase =
  | "resolve"
  | "connect"
  | "tls"
  | "greeting"
  | "login"
  | "command"
  | "data-open"
  | "transfer"
  | "finish"
  | "local";

export type FtpConnection = "control" | "data" | "none";

/** What the server said. `lines` in the character set of the connection. */
export type FtpReply = { readonly code: number; readonly lines: readonly string[] };

/** One try to get a data connection. */
export type DataAttempt = {
  readonly mode: DataMode;
  /** Where it went to or was awaited, as `address:port`; absent when the server refused the command. */
  readonly endpoint?: string;
  /** The address of a 227 in whose place the server's own was used. */
  readonly named?: string;
  readonly outcome: string;
  readonly ms: number;
};

/** The ways to a data connection, in the order in which they are tried (RFC 2428, RFC 959 §4.1.2). */
export const DATA_MODES = ["epsv", "pasv", "eprt", "port"] as const;
export type DataMode = (typeof DATA_MODES)[number];

export type FtpErrorDetails = {
  readonly phase: FtpPhase;
  readonly connection?: FtpConnection;
  /** As it went out, with passwords masked. */
  readonly command?: string | undefined;
  readonly reply?: FtpReply | undefined;
  /** Whether the same call may succeed later without any change. Else found from `code` and `reply`. */
  readonly retryable?: boolean | undefined;
  /** Octets that had moved. */
  readonly bytes?: number | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
  readonly tried?: readonly DataAttempt[] | undefined;
  readonly cause?: unknown;
};

const PASSING: ReadonlySet<FtpErrorCode> = new Set([
  "BUSY",
  "TIMEOUT",
  "STALLED",
  "RESET",
  "UNREACHABLE",
  "DATA_BLOCKED",
  "MISMATCH",
]);

/** Every failure of the library but an abort by the caller's own signal, which rejects with the signal's reason. */
export class FtpError extends Error {
  override readonly name = "FtpError";
  readonly code: FtpErrorCode;
  readonly phase: FtpPhase;
  readonly connection: FtpConnection;
  readonly command: string | undefined;
  readonly reply: FtpReply | undefined;
  readonly retryable: boolean;
  readonly bytes: number | undefined;
  readonly hint: string | undefined;
  readonly tried: readonly DataAttempt[] | undefined;

  /** @param message one sentence for people: what failed, with names. */
  constructor(code: FtpErrorCode, message: string, details: FtpErrorDetails) {
    super(withoutPasswords(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.phase = details.phase;
    this.connection = details.connection ?? (details.phase === "local" ? "none" : "control");
    this.command = details.command;
    this.reply = details.reply;
    this.retryable = details.retryable ?? PASSING.has(code);
    this.bytes = details.bytes;
    this.hint = details.hint === undefined ? undefined : withoutPasswords(details.hint);
    this.tried = details.tried;
  }
}

/** What cannot be asked for: nothing was sent. */
export function usageError(message: string, hint?: string): FtpError {
  return new FtpError("USAGE", message, { phase: "local", hint });
}

/** A reply's text, for messages: its lines in one, without what would disturb a terminal, at most `REPLY_SHOWN` characters. */
export function shownReply({ code, lines }: FtpReply): string {
  const text = lines.map((line) => line.trim()).join(" ");
  return `${code} ${printable(text)}`.trim().slice(0, REPLY_SHOWN);
}

/** Characters of a reply in a message: it is one line of a terminal or log. */
const REPLY_SHOWN = 300;

/** Text of a server for a terminal: control characters become `?` (attack 64). */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  return text.replace(/[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, "?");
}

/** A command for messages: what may be secret is masked. */
export function shownCommand(line: string | ByteString): string {
  const [, verb = "", rest = ""] = /^(\S*)\s?(.*)$/s.exec(line) ?? [];
  const isSecret = /^(?:PASS|ACCT|ADAT)$/i.test(verb) || (/^SITE$/i.test(verb) && /^PSWD\b/i.test(rest));
  return isSecret ? `${verb} ****` : printable(line);
}

/** The same error with more to it. */
export function withDetails(
  error: FtpError,
  { message = error.message, ...details }: Partial<FtpErrorDetails> & { readonly message?: string },
): FtpError {
  const { phase, connection, command, reply, retryable, bytes, hint, tried, cause } = error;
  return new FtpError(error.code, message, {
    ...{ phase, connection, command, reply, retryable, bytes, hint, tried, cause },
    ...details,
  });
}
