/** The word that the system has for what it refused, such as ENOENT. */

/** `code` of an error of Node's or of sys/ffi.ts; "" for any other. */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
