/** Where links of the server lead, where MLSD does not say so: STAT of a folder tells it as LIST does (RFC 959 §4.1.3). */
import { bytesOfText, textOf } from "../../base/bytes.ts";
import { ListingReader } from "../../protocol/listings/reader.ts";
import { FtpError } from "../errors.ts";
import type { Client } from "../types.ts";

/** @returns targets by name, as far as they could be had: a server may have no STAT, or a folder too many entries for a reply. */
export async function linkTargets(
  client: Client,
  folder: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const targets = new Map<string, string>();
  let lines: readonly string[];
  try {
    const reply = await client.raw(`STAT ${folder}`, { signal });
    lines = reply.code < 300 ? reply.lines.slice(1, -1) : [];
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FtpError && !error.retryable) return targets;
    throw error;
  }
  const reader = new ListingReader({ kind: "list", now: Date.now() });
  for (const line of lines) {
    const found = reader.line(bytesOfText(line.replace(/^ /, "")));
    if (typeof found === "string" || found.type !== "link" || found.target === undefined) continue;
    targets.set(textOf(found.name), textOf(found.target));
  }
  return targets;
}
