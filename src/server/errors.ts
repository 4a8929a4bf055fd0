/** Every way in which an error becomes a reply. The client never learns what the host said. */
import { type Reply, type ReplyCode, reply } from "../protocol/reply.ts";
import { DataError, type DataFault } from "../net/data-connection.ts";
import { CodingError, type CodingFault } from "../net/deflated-connection.ts";
import { INFLATE_RATIO } from "../net/limits.ts";
import { TlsFailed } from "../net/tls/handshake.ts";
import { StorageError, type StorageFault } from "../workspace/files.ts";
import { Denied } from "../workspace/workspace.ts";

/** Thrown by a handler to refuse a client; becomes the reply as it stands. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reply: Reply;
  /** The id of the rule that refused, for the event stream. */
  readonly rule: string | undefined;

  constructor(code: ReplyCode, text?: string, rule?: string) {
    super(`refused with ${code}`);
    this.rule = rule;
    this.reply = reply(code, rule === undefined || text === undefined ? text : `${text} (rule ${rule})`);
  }
}

/** The rights of the served file system, which are no rule of ours. */
export const FILE_SYSTEM_RULE = "file-system";

/** Exhaustive: a new fault does not compile until it has a reply here. Codes: RFC 959 §4.2.1, §5.4. */
const STORAGE_REPLIES: Readonly<Record<StorageFault, readonly [ReplyCode, string]>> = {
  "not-found": [550, "No such file or directory."],
  denied: [550, `Permission denied (rule ${FILE_SYSTEM_RULE}).`],
  exists: [550, "File exists: that name is taken."],
  "not-a-file": [550, "Not a plain file."],
  "not-a-folder": [550, "Not a directory."],
  "not-empty": [550, "Directory not empty."],
  "is-root": [550, "The root directory cannot be changed."],
  busy: [450, "File busy; try again later."],
  full: [452, "Insufficient storage space; nothing that was there is lost."],
  "bad-name": [553, "File name not allowed."],
  "bad-offset": [550, "Restart point is beyond the end of the file; SIZE tells where it is."],
  "too-large": [552, "File too large for this server's storage."],
  unsupported: [502, "The storage behind this server cannot do that."],
  io: [451, "The server's storage failed; its log says more."],
};

const DATA_REPLIES: Readonly<Record<DataFault, readonly [ReplyCode, string]>> = {
  reset: [426, "Data connection was reset by the client or by something on the way; transfer aborted."],
  closed: [426, "Data connection was closed before the transfer was complete."],
  truncated: [
    426,
    "The TLS data connection ended without TLS's own end (close_notify), so the file may be cut short; nothing was replaced.",
  ],
  incomplete: [
    426,
    "The compressed data stopped before zlib's own end, so the file may be cut short; nothing was replaced. REST goes on where SIZE says.",
  ],
  stalled: [426, "Data connection stalled: not one octet moved for too long; transfer aborted."],
  aborted: [426, "Transfer aborted."],
};

const CODING_REPLIES: Readonly<Record<CodingFault, readonly [ReplyCode, string]>> = {
  corrupt: [
    550,
    "What came is not in zlib's format or was damaged (MODE Z); nothing was stored. MODE S needs no format.",
  ],
  trailing: [
    550,
    "More came after the end of the compressed data (MODE Z: one zlib stream for one file); nothing was stored.",
  ],
  expands: [
    552,
    `The compressed data inflates to more than ${INFLATE_RATIO} times its size, which is more than this server takes; MODE S takes it.`,
  ],
};

export function replyToError(error: unknown): Reply {
  if (error instanceof Refusal) return error.reply;
  if (error instanceof Denied) return reply(550, `Permission denied (rule ${error.rule}).`);
  if (error instanceof StorageError) return reply(...STORAGE_REPLIES[error.fault]);
  if (error instanceof DataError) return reply(...DATA_REPLIES[error.fault]);
  if (error instanceof CodingError) return reply(...CODING_REPLIES[error.fault]);
  // The connection is closed already; whoever still listens hears why.
  if (error instanceof TlsFailed) return reply(421, `Closing: ${error.message}.`);
  return reply(451, "Local error in processing; the server's log says more.");
}

/** Whether an error is one of ours to mend (or the host's), so that the log gets its stack. */
export function isFault(error: unknown): boolean {
  if (error instanceof StorageError) return error.fault === "io";
  return !(
    error instanceof Refusal ||
    error instanceof Denied ||
    error instanceof DataError ||
    error instanceof CodingError ||
    error instanceof TlsFailed
  );
}
