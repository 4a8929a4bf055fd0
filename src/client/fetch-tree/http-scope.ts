/** How far a crawl goes: hosts, folders, and what robots.txt asks for. */
import { FtpError } from "../errors.ts";
import { type HttpClient, RedirectRefused } from "./http-get.ts";
import { LINK_LENGTH, ROBOTS_HOSTS, ROBOTS_OCTETS } from "./limits.ts";
import type { Notes } from "./notes.ts";
import { Robots } from "./robots.ts";
import type { Rules } from "./rules.ts";
import type { FetchOptions } from "./types.ts";

export class Scope {
  readonly #options: FetchOptions;
  readonly #notes: Notes;
  readonly #http: HttpClient;
  readonly #robots = new Map<string, Promise<Robots>>();
  #start: URL;

  constructor(start: URL, { options, notes, http }: { options: FetchOptions; notes: Notes; http: HttpClient }) {
    this.#start = start;
    this.#options = options;
    this.#notes = notes;
    this.#http = http;
  }

  /** The first page has led elsewhere: there it is. */
  moveTo(start: URL): void {
    this.#start = start;
  }

  /** A link of a page as a URL, if it is one that can be fetched. Sort orders of Apache's indexes are none. */
  static resolve(link: string, base: URL): URL | undefined {
    const text = link.trim();
    if (text === "" || text.startsWith("#") || text.length > LINK_LENGTH || !URL.canParse(text, base.href))
      return undefined;
    const url = new URL(text, base);
    if (!/^https?:$/.test(url.protocol) || url.href.length > LINK_LENGTH) return undefined;
    url.hash = "";
    // A page must not make us sign in anywhere.
    url.username = "";
    url.password = "";
    return /^\?C=[A-Z](?:[;&]O=[AD])?$/.test(url.search) ? undefined : url;
  }

  /** Whether a link leads to where we may go at all. */
  includes(url: URL): boolean {
    if (!this.#isOurHost(url)) return false;
    if (this.#options.parents === true || url.hostname !== this.#start.hostname) return true;
    return url.pathname.startsWith(folderPath(this.#start));
  }

  #isOurHost(url: URL): boolean {
    const { spanHosts = false } = this.#options;
    if (url.hostname === this.#start.hostname) {
      // From http to https of the same host, each on its own port, is the same site.
      return url.port === this.#start.port;
    }
    if (typeof spanHosts === "boolean") return spanHosts;
    return spanHosts.some(
      (domain) => url.hostname === domain || url.hostname.endsWith(`.${domain.replace(/^\./, "")}`),
    );
  }

  /** Whether robots.txt allows it. @throws the signal's reason. */
  async allows(url: URL): Promise<boolean> {
    if (this.#options.robots === false) return true;
    const known = this.#robots.get(url.origin);
    if (known !== undefined) return (await known).allows(url);
    if (this.#robots.size >= ROBOTS_HOSTS) return false;
    const asked = this.#ask(url.origin);
    this.#robots.set(url.origin, asked);
    return (await asked).allows(url);
  }

  async #ask(origin: string): Promise<Robots> {
    try {
      const got = await this.#http.get(new URL("/robots.txt", origin), { follows: () => true });
      const kept: Buffer[] = [];
      let octets = 0;
      for await (const chunk of got.body()) {
        kept.push(Buffer.from(chunk));
        octets += chunk.length;
        if (octets >= ROBOTS_OCTETS) break;
      }
      return Robots.read(Buffer.concat(kept).subarray(0, ROBOTS_OCTETS).toString());
    } catch (error) {
      if (error instanceof RedirectRefused) return Robots.all;
      if (!(error instanceof FtpError)) throw error;
      // A refusal means that there is none; a failure, that nobody knows (RFC 9309 §2.3.1).
      if (["NOT_FOUND", "DENIED", "AUTH"].includes(error.code)) return Robots.all;
      this.#notes.warn(
        `robots.txt of ${origin} cannot be had, so nothing more is fetched from there: ${error.message}`,
      );
      return Robots.none;
    }
  }
}

/** The folder of a URL's path, with its slash. */
function folderPath({ pathname }: URL): string {
  return pathname.slice(0, pathname.lastIndexOf("/") + 1);
}

/** Parts of a folder for patterns, escapes read where they can be. */
export function folderParts(url: URL): readonly string[] {
  return folderPath(url)
    .split("/")
    .filter((part) => part !== "")
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

/** Whether a document may hold links to what is wanted, though its own name is not: wget's reading of pages for -A. */
export function mayBePage(url: URL): boolean {
  return /(?:^|\/)[^/.]*$|\.(?:x?html?|php|aspx?|jsp|cgi)$/i.test(url.pathname);
}

/** Whether a folder's pages or files are wanted. */
export function isWantedFolder(url: URL, rules: Rules): boolean {
  const parts = folderParts(url);
  return mayBePage(url) ? rules.enters(parts) : rules.holds(parts);
}
