/** What a refusal of the server means, as an error of ours. Codes first, words only where a code means several things. */
import { FtpError, type FtpErrorCode, type FtpErrorDetails, type FtpReply, shownReply } from "./errors.ts";

type Meaning = Omit<FtpErrorDetails, "phase"> & {
  readonly code: FtpErrorCode;
  readonly phase?: FtpErrorDetails["phase"];
};

/** By reply code (RFC 959 §4.2, RFC 2228 §5, RFC 2389 §3.2, RFC 4217). */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  332: {
    code: "AUTH",
    phase: "login",
    retryable: false,
    hint: "the server wants an account beside name and password: say it with the option account (--account)",
  },
  421: { code: "BUSY", hint: "the server is full or going down: try again later" },
  425: { code: "DATA_BLOCKED", phase: "data-open", connection: "data" },
  426: { code: "RESET", phase: "transfer", connection: "data" },
  430: { code: "AUTH", phase: "login" },
  450: { code: "BUSY" },
  451: { code: "BUSY" },
  452: { code: "NO_SPACE", retryable: false },
  500: { code: "UNSUPPORTED" },
  501: { code: "UNSUPPORTED" },
  502: { code: "UNSUPPORTED" },
  503: { code: "PROTOCOL" },
  504: { code: "UNSUPPORTED" },
  522: {
    code: "TLS_RESUME_REQUIRED",
    phase: "data-open",
    connection: "data",
    hint: "the server wants data connections to resume the TLS session of the control connection, or wants PROT P",
  },
  530: { code: "AUTH", phase: "login" },
  532: { code: "AUTH", phase: "login", hint: "the server wants an account (ACCT) for this" },
  533: { code: "DENIED" },
  534: { code: "DENIED" },
  536: { code: "DENIED" },
  550: { code: "NOT_FOUND" },
  551: { code: "UNSUPPORTED" },
  552: { code: "QUOTA" },
  553: { code: "DENIED" },
};

/** Words in which servers say that there are too many sessions, with a code that says something else. */
const TOO_MANY = /too many|maximum|limit|already logged|not available|try (?:again )?later/i;
const DENIED = /denied|permission|not permitted|not allowed|forbidden|read.?only|privilege|\(rule /i;
const EXISTS = /exists|not empty/i;
const FOLDER = /not a (?:plain|regular) file|is a (?:directory|folder)/i;
const RESUME = /resum|reuse|re-use|session/i;
const FULL = /no space|disk full|insufficient (?:disk|storage)|quota/i;

/** @param what names the work, such as `cannot get /pub/a.iso`. */
export function replyError(what: string, reply: FtpReply, details: FtpErrorDetails): FtpError {
  const { code, ...meaning } = meaningOf(reply, details.command);
  // A transient reply may be asked again (RFC 959 §4.2.1), but for a full disk.
  const passing = reply.code < 500 && code !== "NO_SPACE";
  return new FtpError(code, `${what}: ${shownReply(reply)}`, {
    ...details,
    ...meaning,
    phase: meaning.phase ?? details.phase,
    retryable: meaning.retryable ?? (passing || code === "BUSY" || code === "DATA_BLOCKED"),
    reply,
  });
}

function meaningOf({ code, lines }: FtpReply, command = ""): Meaning {
  const text = lines.join(" ");
  if (code === 530 && TOO_MANY.test(text)) return { code: "BUSY", hint: "the server has too many sessions" };
  if ((code === 425 || code === 450 || code === 522) && RESUME.test(text) && /tls|ssl/i.test(text)) {
    return MEANINGS[522] ?? { code: "TLS_RESUME_REQUIRED" };
  }
  const byWords = BY_WORDS.has(code) ? meaningOfWords(text, command) : undefined;
  return byWords ?? MEANINGS[code] ?? { code: code >= 500 ? "DENIED" : "PROTOCOL" };
}

/** 521 is of RFC 959's appendix II: a folder that is there already; others say it of PROT. */
const BY_WORDS: ReadonlySet<number> = new Set([451, 521, 550, 553]);

/** These codes stand for all that can be wrong with a file. */
function meaningOfWords(text: string, command: string): Meaning | undefined {
  if (FULL.test(text)) return { code: "NO_SPACE", retryable: false };
  if (EXISTS.test(text) && !/not exist|n't exist|doesnt exist/i.test(text)) return { code: "EXISTS" };
  if (FOLDER.test(text)) {
    const cure = command.startsWith("DELE ") ? "rm -r removes all of it" : "mirror or get -r fetches all of it";
    return { code: "NOT_FOUND", hint: `it is a folder: ${cure}` };
  }
  return DENIED.test(text) ? { code: "DENIED" } : undefined;
}
