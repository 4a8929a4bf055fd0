/** A tree of a web site: a page, what it links to, and so on, within one host, one folder and so many levels. */
import { RateLimiter } from "../../net/rate-limiter.ts";
import { Throttle } from "../../net/throttle.ts";
import { FtpError, usageError } from "../errors.ts";
import { RETRY_ATTEMPTS } from "../limits.ts";
import { withRetries } from "../retry.ts";
import { Crew } from "./crew.ts";
import { type SaveTerms, saveDocument, savedPage } from "./http-file.ts";
import { type Got, HttpClient, RedirectRefused, shownUrl } from "./http-get.ts";
import { Scope, folderParts, isWantedFolder, mayBePage } from "./http-scope.ts";
import {
  DOCUMENTS_MOST,
  FETCH_PARALLEL,
  FETCH_PARALLEL_MOST,
  JOBS_WAITING,
  PAGE_DEPTH,
  PAGE_OCTETS,
  URLS_LENGTH,
} from "./limits.ts";
import { LinkReader } from "./links.ts";
import { type Place, asPage, pathOfPlace, placeOfUrl } from "./local-name.ts";
import type { LocalTree } from "./local-tree.ts";
import type { Notes } from "./notes.ts";
import { Rules } from "./rules.ts";
import type { FetchOptions } from "./types.ts";

export type HttpJobTerms = {
  readonly tree: LocalTree;
  readonly notes: Notes;
  readonly options: FetchOptions;
  readonly signal: AbortSignal | undefined;
};

/** @throws {FtpError} USAGE; where the first page cannot be had; the signal's reason. */
export async function fetchHttp(text: string, terms: HttpJobTerms): Promise<void> {
  if (!URL.canParse(text)) {
    throw usageError("this is no URL of HTTP: write http://www.example.org/");
  }
  const url = new URL(text);
  url.hash = "";
  await new HttpTree(url, terms).run();
}

type Document = { readonly url: URL; readonly depth: number };
type Tries = Pick<SaveTerms, "isLast" | "kept">;

class HttpTree {
  readonly #terms: HttpJobTerms;
  readonly #start: URL;
  readonly #http: HttpClient;
  readonly #scope: Scope;
  readonly #rules: Rules;
  readonly #crew: Crew;
  readonly #limiter: RateLimiter | undefined;
  readonly #depth: number;
  readonly #most: number;
  /** What was seen already, in one spelling. */
  readonly #seen = new Set<string>();
  #length = 0;

  constructor(start: URL, terms: HttpJobTerms) {
    const { options, notes, signal } = terms;
    this.#terms = terms;
    this.#start = new URL(start);
    this.#start.username = "";
    this.#start.password = "";
    this.#http = new HttpClient({
      options,
      signal,
      login: { origin: this.#start, authorization: authorizationOf(start) },
    });
    this.#scope = new Scope(this.#start, { options, notes, http: this.#http });
    this.#rules = new Rules(options, folderParts(this.#start));
    const atOnce = Math.min(Math.max(options.parallel ?? FETCH_PARALLEL, 1), FETCH_PARALLEL_MOST);
    this.#crew = new Crew({ atOnce, most: JOBS_WAITING, signal });
    this.#limiter = options.rate === undefined ? undefined : new RateLimiter(options.rate);
    this.#depth = options.depth ?? PAGE_DEPTH;
    this.#most = options.most ?? DOCUMENTS_MOST;
  }

  async run(): Promise<void> {
    const first = { url: this.#start, depth: 0 };
    this.#seen.add(first.url.href);
    // Without the first page there is nothing: its failure is that of the whole.
    await this.#fetch(first);
    await this.#crew.done();
  }

  async #attempt(document: Document): Promise<void> {
    const { signal, notes } = this.#terms;
    try {
      await this.#fetch(document);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (!(error instanceof FtpError) || error.code === "NO_SPACE" || error.code === "LIMIT") throw error;
      notes.fail(shownUrl(document.url), error);
    }
  }

  async #fetch(document: Document): Promise<void> {
    const { signal, notes, options } = this.#terms;
    const { url, depth } = document;
    if (depth > 0 && !(await this.#scope.allows(url))) {
      notes.leaveOut(shownUrl(url), "robots");
      return;
    }
    if (options.quota !== undefined && notes.octets >= options.quota) {
      throw new FtpError("LIMIT", `${options.quota} octets have been fetched`, { phase: "local" });
    }
    const attempts = options.retry?.attempts ?? RETRY_ATTEMPTS;
    const kept: Place[] = [];
    try {
      await withRetries(async (attempt) => await this.#once(document, { isLast: attempt >= attempts, kept }), {
        options: options.retry ?? {},
        signal,
        heard: (detail) => notes.emit({ kind: "retry", url: shownUrl(url), ...detail }),
      });
    } catch (error) {
      if (!(error instanceof RedirectRefused)) throw error;
      notes.leaveOut(shownUrl(url), "elsewhere");
    } finally {
      // What was kept for a next try, when there is none.
      if (options.resume !== true) for (const place of kept) await this.#terms.tree.remove(place);
    }
  }

  async #once(document: Document, tries: Tries): Promise<void> {
    const { options, notes } = this.#terms;
    const { url, depth } = document;
    const there = options.exists === "newer" ? await this.#lookUp(url) : undefined;
    const since = there === undefined ? {} : { "if-modified-since": new Date(there.mtimeMs).toUTCString() };
    const got = await this.#http.get(url, {
      headers: since,
      follows: async (next) => await this.#follows(next, depth),
    });
    if (got.status === 304 && there !== undefined) {
      await got.cancel();
      notes.leaveOut(shownUrl(url), "same");
      await this.#readSaved(there.place, document);
      return;
    }
    if (depth === 0) this.#scope.moveTo(got.url);
    // Two links may lead to the same place by redirects.
    if (got.url.href !== url.href && depth > 0 && !this.#isNew(got.url)) {
      await got.cancel();
      return;
    }
    await this.#take(got, { url: got.url, depth }, tries);
  }

  async #take(got: Got, document: Document, tries: Tries): Promise<void> {
    const { options, notes, tree } = this.#terms;
    const isPage = isHtml(got.headers);
    const place = isPage ? asPage(this.#placeOf(got.url)) : this.#placeOf(got.url);
    const hasLinks = isPage && document.depth < this.#depth;
    const reader = hasLinks ? new PageReader(got.headers) : undefined;
    const parts = folderParts(got.url);
    if (this.#rules.takes(place.name) && this.#rules.holds(parts)) {
      if (options.exists === "skip" && (await tree.look(place)) !== undefined) {
        await got.cancel();
        notes.leaveOut(shownUrl(got.url), "exists");
        if (hasLinks) await this.#readSaved(place, document);
        return;
      }
      await this.#save(got, place, { reader, tries });
    } else {
      notes.leaveOut(shownUrl(got.url), "rejected");
      await passOver(got, this.#rules.enters(parts) ? reader : undefined);
    }
    if (reader !== undefined) this.#goOn(reader, document);
  }

  async #save(
    got: Got,
    place: Place,
    { reader, tries }: { reader: PageReader | undefined; tries: Tries },
  ): Promise<void> {
    const { options, notes, tree, signal } = this.#terms;
    const [url, path] = [shownUrl(got.url), pathOfPlace(place)];
    const begun = performance.now();
    const progress = notes.progress(url, path);
    const terms: SaveTerms = {
      tree,
      signal,
      ...tries,
      http: this.#http,
      throttle: this.#limiter === undefined ? undefined : new Throttle([this.#limiter]),
      keepTime: options.keepTime ?? true,
      resume: options.resume ?? false,
      read: reader === undefined ? undefined : (chunk) => void reader.push(chunk),
      started: (size, resumedAt) => notes.emit({ kind: "start", url, path, size, resumedAt }),
      moved: progress,
      follows: () => false,
    };
    const bytes = await saveDocument(got, place, terms);
    notes.octets += bytes;
    notes.done(url, path, { bytes, ms: Math.round(performance.now() - begun) });
  }

  /** Links of a page become further work. */
  #goOn(reader: PageReader, { url, depth }: Document): void {
    const { notes } = this.#terms;
    const { links, base, isNofollow, isTooMany } = reader.end();
    if (reader.isCut || isTooMany) notes.warn(`${shownUrl(url)} is too large a page: links at its end are left out`);
    if (isNofollow && this.#terms.options.robots !== false) {
      notes.leaveOut(shownUrl(url), "robots");
      return;
    }
    const from = base !== undefined && URL.canParse(base, url.href) ? new URL(base, url) : url;
    let found = 0;
    for (const link of links) {
      const target = Scope.resolve(link, from);
      if (target === undefined || !this.#leadsOn(target, depth + 1) || !this.#isNew(target)) continue;
      found += 1;
      this.#crew.add(async () => await this.#attempt({ url: target, depth: depth + 1 }));
    }
    notes.emit({ kind: "read", url: shownUrl(url), found });
  }

  /** Whether a link is worth asking for: it may be wanted, or lead to what is. */
  #leadsOn(target: URL, depth: number): boolean {
    if (!this.#scope.includes(target) || !isWantedFolder(target, this.#rules)) return false;
    if (mayBePage(target) && depth < this.#depth) return true;
    const place = this.#placeOf(target);
    return this.#rules.takes(place.name) || this.#rules.takes(asPage(place).name);
  }

  /** @throws LIMIT, which ends the job. */
  #isNew(url: URL): boolean {
    if (this.#seen.has(url.href)) return false;
    if (this.#seen.size >= this.#most) {
      throw new FtpError("LIMIT", `more than ${this.#most} documents`, {
        phase: "local",
        hint: "allow more, or fewer levels",
      });
    }
    this.#length += url.href.length;
    if (this.#length > URLS_LENGTH) {
      throw new FtpError("LIMIT", "the links that were found do not fit into memory", {
        phase: "local",
      });
    }
    this.#seen.add(url.href);
    return true;
  }

  /** The first page may lead anywhere, as its URL was given by hand; others only to where a link may. */
  async #follows(next: URL, depth: number): Promise<boolean> {
    if (depth === 0) return true;
    return this.#scope.includes(next) && isWantedFolder(next, this.#rules) && (await this.#scope.allows(next));
  }

  async #readSaved(place: Place, document: Document): Promise<void> {
    if (document.depth >= this.#depth || !/\.x?html?$/i.test(place.name)) return;
    const page = await savedPage(this.#terms.tree, place);
    if (page === undefined) return;
    const reader = new PageReader(new Headers());
    reader.push(page);
    this.#goOn(reader, document);
  }

  /** What is here of a document, whichever name it got. */
  async #lookUp(url: URL): Promise<{ readonly place: Place; readonly mtimeMs: number } | undefined> {
    for (const place of [this.#placeOf(url), asPage(this.#placeOf(url))]) {
      const there = await this.#terms.tree.look(place);
      if (there?.isFile() === true) return { place, mtimeMs: there.mtimeMs };
    }
    return undefined;
  }

  #placeOf(url: URL): Place {
    const { hostFolder = true, cutFolders = 0 } = this.#terms.options;
    return placeOfUrl(url, { hostFolder, cutFolders });
  }
}

/** A page that is not kept is read for its links at most. */
async function passOver(got: Got, reader: PageReader | undefined): Promise<void> {
  if (reader === undefined) {
    await got.cancel();
    return;
  }
  for await (const chunk of got.body()) {
    if (!reader.push(chunk)) break;
  }
}

/** Octets of a page become text, and that links, as far as `PAGE_OCTETS`. */
class PageReader {
  readonly #reader = new LinkReader();
  readonly #decoder: InstanceType<typeof TextDecoder>;
  #octets = 0;
  isCut = false;

  constructor(headers: Headers) {
    this.#decoder = decoderOf(headers.get("content-type") ?? "");
  }

  /** @returns false once no more is read. */
  push(chunk: Buffer): boolean {
    if (this.#octets >= PAGE_OCTETS) {
      this.isCut = true;
      return false;
    }
    this.#octets += chunk.length;
    this.#reader.push(this.#decoder.decode(chunk, { stream: true }));
    return true;
  }

  end(): LinkReader {
    return this.#reader;
  }
}

function decoderOf(type: string): InstanceType<typeof TextDecoder> {
  const label = /charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder();
  }
}

function isHtml(headers: Headers): boolean {
  return /^(?:text\/html|application\/xhtml\+xml)\b/i.test(headers.get("content-type") ?? "");
}

/** Basic, in UTF-8. */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const login = `${unescaped(username)}:${unescaped(password)}`;
  return `Basic ${Buffer.from(login).toString("base64")}`;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
