/** What this host's file system refused, as an error of the client. */
import { systemCode } from "../../base/system-code.ts";
import { FtpError, type FtpErrorCode } from "../errors.ts";

const CODES: Readonly<Record<string, FtpErrorCode>> = {
  ENOENT: "NOT_FOUND",
  EEXIST: "EXISTS",
  EACCES: "DENIED",
  EPERM: "DENIED",
  EROFS: "DENIED",
  ENOSPC: "NO_SPACE",
  EDQUOT: "QUOTA",
  ELOOP: "UNSAFE_NAME",
};
const WORDS: Readonly<Partial<Record<FtpErrorCode, string>>> = {
  NOT_FOUND: "there is no such file or folder",
  EXISTS: "there is something already",
  DENIED: "the file system refuses",
  NO_SPACE: "the disk is full",
  QUOTA: "the quota is used up",
  UNSAFE_NAME: "a symbolic link lies there or on the way, and nothing is read or written through it",
};

/** @param what was to be done, with the path, as "make the folder a/b". */
export function localError(error: unknown, what: string): FtpError {
  if (error instanceof FtpError) return error;
  const system = systemCode(error);
  const code = CODES[system] ?? "LOCAL_IO";
  const why = WORDS[code] ?? (error instanceof Error ? error.message : String(error));
  const hint = code === "UNSAFE_NAME" ? "Remove the link, or mirror into the folder to which it leads." : undefined;
  return new FtpError(code, `Could not ${what}: ${why}.`, { phase: "local", retryable: false, hint, cause: error });
}

/** Whether there is no room, here or at the server: no further file would fit either. */
export function isOutOfRoom(error: FtpError): boolean {
  if (error.code === "NO_SPACE" || error.code === "QUOTA") return true;
  return ["ENOSPC", "EDQUOT", "EROFS"].includes(systemCode(error.cause));
}
