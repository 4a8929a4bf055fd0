/** Faults of a data connection under way, in the words of the client's errors. */
import { DataError, type DataFault } from "../net/data-connection.ts";
import { FtpError, type FtpErrorCode, type FtpErrorDetails } from "./errors.ts";

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
