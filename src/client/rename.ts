/** RNFR and RNTO (RFC 959 §4.1.3): one step for callers, tried again where the reply to it was lost. */
import { FtpError } from "./errors.ts";
import { existsAt } from "./facts.ts";
import type { Hub } from "./hub.ts";
import type { CallOptions, RetryOptions } from "./types.ts";

export type RenameOptions = CallOptions & { readonly retry?: RetryOptions | undefined };

/** @param paths absolute, as `Hub.path` makes them. @throws {FtpError} with the command that was refused. */
export async function renameAt(
  hub: Hub,
  { from, to }: { readonly from: string; readonly to: string },
  options: RenameOptions,
): Promise<void> {
  const what = `cannot rename ${from}`;
  let isSent = false;
  await hub.call(async (session, { signal }) => {
    try {
      await session.send(`RNFR ${from}`, { signal, what });
    } catch (error) {
      // An earlier try was carried out, and the reply to it was lost.
      const mayBeDone = isSent && error instanceof FtpError && error.code === "NOT_FOUND";
      if (mayBeDone && (await existsAt(to, { hub, session, signal })) !== false) return;
      throw error;
    }
    isSent = true;
    await session.send(`RNTO ${to}`, { signal, what: `${what} to ${to}` });
  }, options);
}
