/** Faults of a data connection under way, in the words of the client's errors. */
import { DataError, type DataFault } from "../net/data-connection.ts";
import type { ControlLink } from "./control.ts";
import { FtpError, type FtpErrorCode, type FtpErrorDetails } from "./errors.ts";
import { REFUSAL_WAIT_MS } from "./limits.ts";

const WORDS: Readonly<
  Record<DataFault, { readonly code: FtpErrorCode; readonly text: string; readonly hint?: string }>
> = {
  reset: { code: "RESET", text: "the data connection was reset" },
  closed: { code: "RESET", text: "the data connection was closed" },
  truncated: {
    code: "RESET",
    text: "the data connection ended without the end of TLS (close_notify)",
    hint: "what came may be only a part of the file",
  },
  incomplete: { code: "RESET", text: "the data connection ended in the middle" },
  stalled: { code: "STALLED", text: "no octet moved on the data connection for too long" },
  aborted: { code: "ABORTED", text: "the transfer was aborted" },
};

/** @returns undefined for what is no fault of the data connection. */
export function dataFault(error: unknown, what: string, details: FtpErrorDetails): FtpError | undefined {
  if (!(error instanceof DataError)) return undefined;
  const { code, text, hint } = WORDS[error.fault];
  return new FtpError(code, `${what}: ${text}`, { ...details, hint, cause: error });
}

/**
 * Of an upload: a source that gives nothing just now must not keep from who waits that the server takes no more.
 * @param link absent: of a download. @throws {DataError} "closed" soon after a refusal on the control connection, or what the moving throws itself.
 */
export async function unlessRefused<T>(moving: Promise<T>, link: ControlLink | undefined): Promise<T> {
  if (link === undefined) return await moving;
  const refused = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const off = link.onRefusal(() => {
    // The data connection's own fault tells more, and is on its way.
    timer ??= setTimeout(() => refused.reject(new DataError("closed")), REFUSAL_WAIT_MS);
  });
  // When it has lost the race, its failure is nobody's.
  moving.catch(() => {});
  try {
    return await Promise.race([moving, refused.promise]);
  } finally {
    off();
    clearTimeout(timer);
  }
}
