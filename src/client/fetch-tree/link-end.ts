/** What a link of an FTP server leads to: no listing tells it everywhere, so it is tried. */
import { parseTimeVal } from "../../protocol/facts.ts";
import type { Client, Entry } from "../types.ts";

/** Replies of servers that have no SIZE at all: the file may be there. */
const NO_SIZE: ReadonlySet<number> = new Set([500, 502, 504]);

export type LinkEnd = "directory" | "nowhere" | Pick<Entry, "size" | "modified">;

/** Size and time are those of the file behind it: some servers tell those of the link itself in MLST, none in SIZE and MDTM. */
export async function endOfLink(client: Client, path: string, signal: AbortSignal | undefined): Promise<LinkEnd> {
  return await client.session(
    async (session) => {
      if ((await session.ask("CWD", path)).code < 300) return "directory";
      await session.send("TYPE I");
      const size = await session.ask("SIZE", path);
      if (size.code !== 213 && !NO_SIZE.has(size.code)) return "nowhere";
      const time = await session.ask("MDTM", path);
      const octets = size.code === 213 ? Number(size.lines[0]) : Number.NaN;
      const ms = time.code === 213 ? parseTimeVal(time.lines[0]?.trim() ?? "") : undefined;
      return {
        size: Number.isSafeInteger(octets) ? octets : undefined,
        modified: ms === undefined ? undefined : { ms, precision: "second", zone: "utc" },
      };
    },
    { signal },
  );
}
