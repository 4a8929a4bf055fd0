/** `fetchTree`: what lies below a URL of FTP or HTTP, into a folder here, in the manner of wget's -r. */
import { FtpError } from "../errors.ts";
import { joinedSignal } from "../waits.ts";
import { fetchFtp } from "./ftp.ts";
import { fetchHttp } from "./http.ts";
import { LocalTree } from "./local-tree.ts";
import { Notes } from "./notes.ts";
import type { FetchOptions, FetchReport } from "./types.ts";

/**
 * Fetches a tree. A failure of one file stands in the report and the rest goes on: look at `failures` and `stopped`.
 * Files have their names when they are whole, and nothing is written outside of `to` or through a link.
 * @param url `ftp:`, `ftps:`, `ftpes:` (a folder, a file, or a pattern), `http:` or `https:` (a page, and what it links to).
 * @param to folder of this host; it is made.
 * @throws {FtpError} USAGE; where the first folder or page cannot be had; LOCAL_IO where `to` cannot be written. Or the
 *   signal's reason.
 */
export async function fetchTree(url: string | URL, to: string, options: FetchOptions = {}): Promise<FetchReport> {
  const text = String(url);
  const signal = joinedSignal(options.signal, options.timeoutMs);
  signal?.throwIfAborted();
  const notes = new Notes(options.onEvent);
  await using tree = await LocalTree.open(to);
  const terms = { tree, notes, options, signal };
  try {
    if (/^https?:/i.test(text)) await fetchHttp(text, terms);
    else await fetchFtp(text, terms);
  } catch (error) {
    // The job has begun and cannot go on: what it did is worth a report.
    if (!(error instanceof FtpError) || !ENDS.has(error.code) || signal?.aborted === true) throw error;
    notes.stopped = error;
  }
  return notes.report();
}

const ENDS: ReadonlySet<FtpError["code"]> = new Set(["NO_SPACE", "LIMIT"]);
