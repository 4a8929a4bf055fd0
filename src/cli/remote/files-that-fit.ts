/** The files of a server that fit a pattern: folders are left out, which is said. */
import { FtpError } from "../../client/errors.ts";
import type { Client, Entry } from "../../client/types.ts";
import { printable } from "../columns.ts";
import type { Transfers } from "./transfers.ts";

/** @param terms.hint what would take the folders. @throws {FtpError} NOT_FOUND where no file fits. */
export async function filesThatFit(
  { client, path }: { readonly client: Client; readonly path: string },
  { transfers, hint }: { readonly transfers: Pick<Transfers, "say" | "signal">; readonly hint: string },
): Promise<readonly Entry[]> {
  const entries = await Array.fromAsync(client.glob(path, { signal: transfers.signal }));
  const files = entries.filter(({ type }) => type !== "directory");
  const folders = entries.length - files.length;
  if (files.length === 0) {
    const found = folders === 0 ? "nothing fits" : "only folders fit";
    throw new FtpError("NOT_FOUND", `${found} ${printable(path)}`, {
      phase: "command",
      ...(folders === 0 ? {} : { hint }),
    });
  }
  if (folders > 0) transfers.say(`note: ${folders === 1 ? "a folder" : `${folders} folders`} left out; ${hint}`);
  return files;
}
