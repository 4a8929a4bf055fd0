/** A tree of an FTP server: folders are listed and files fetched at the same time, each file by the pool's next connection. */
import { basename, dirname, join } from "node:path";
import { hasGlob } from "../../protocol/glob.ts";
import { connect } from "../client.ts";
import { FtpError } from "../errors.ts";
import { LINKS_DEEP, WALK_DEPTH } from "../limits.ts";
import { NAME_LEFT_OUT } from "../listing.ts";
import type { Client, Entry } from "../types.ts";
import { type FtpUrl, defaultPort, formatFtpUrl, parseFtpUrl } from "../url.ts";
import { Crew } from "./crew.ts";
import { FETCH_PARALLEL, FETCH_PARALLEL_MOST, JOBS_WAITING } from "./limits.ts";
import { type Place, isLinkInside, localName, pathOfPlace } from "./local-name.ts";
import { endOfLink } from "./link-end.ts";
import type { LocalTree } from "./local-tree.ts";
import type { Notes } from "./notes.ts";
import { Rules } from "./rules.ts";
import type { FetchOptions } from "./types.ts";

export type FtpTerms = {
  readonly tree: LocalTree;
  readonly notes: Notes;
  readonly options: FetchOptions;
  readonly signal: AbortSignal | undefined;
};

/** @throws {FtpError} where nobody can sign in or the first path is not there; the signal's reason. */
export async function fetchFtp(url: string, terms: FtpTerms): Promise<void> {
  const { options, signal, notes } = terms;
  const parsed = parseFtpUrl(url);
  const parallel = Math.min(Math.max(options.parallel ?? FETCH_PARALLEL, 1), FETCH_PARALLEL_MOST);
  await using client = await connect(url, {
    connections: parallel,
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
    ...(options.replyMs === undefined ? {} : { replyMs: options.replyMs }),
    ...(options.stallMs === undefined ? {} : { stallMs: options.stallMs }),
    ...options.connect,
    ...(signal === undefined ? {} : { signal }),
  });
  client.on("fallback", ({ what }) => notes.warnOnce(what, what));
  client.on("retry", (detail) => notes.emit({ kind: "retry", url: formatFtpUrl(parsed), ...detail }));
  const job = new FtpTree({ ...terms, client, parsed, parallel });
  await job.run();
}

type Folder = {
  /** From the server's root. */
  readonly path: string;
  /** From the server's root, for patterns. */
  readonly parts: readonly string[];
  /** On our disk. */
  readonly folders: readonly string[];
  /** Below the first. */
  readonly depth: number;
  /** Links that led here. */
  readonly links: number;
};

type JobTerms = FtpTerms & { readonly client: Client; readonly parsed: FtpUrl; readonly parallel: number };
type Pending = { readonly place: Place; readonly target: string; readonly url: string };

class FtpTree {
  readonly #terms: JobTerms;
  readonly #crew: Crew;
  readonly #rules: Rules;
  readonly #base: Folder;
  readonly #links: Pending[] = [];
  #begun = 0;

  constructor(terms: JobTerms) {
    this.#terms = terms;
    const { parsed, client, options, parallel, signal } = terms;
    this.#crew = new Crew({ atOnce: parallel, most: JOBS_WAITING, signal });
    const path = parsed.path.replace(/(?<=.)\/+$/, "");
    const typed = partsOf(path);
    const whole = path.startsWith("/") ? typed : [...partsOf(client.info.home), ...typed];
    const { hostFolder = true, cutFolders = 0 } = options;
    const host = `${parsed.host}${parsed.port === undefined || parsed.port === defaultPort(parsed.scheme) ? "" : `:${parsed.port}`}`;
    const folders = [
      ...(hostFolder ? [localName(host)] : []),
      ...typed.slice(cutFolders).map((part) => localName(part)),
    ];
    this.#base = { path, parts: whole, folders, depth: 0, links: 0 };
    this.#rules = new Rules(options, whole);
  }

  async run(): Promise<void> {
    const { parsed, client, signal, notes } = this.#terms;
    const { path } = this.#base;
    if (hasGlob(path)) await this.#globbed(path);
    else if (path === "" || parsed.path.endsWith("/")) await this.#read(this.#base);
    else {
      const entry = await client.stat(path, { signal });
      if (entry.type === "directory") await this.#read(this.#base);
      else this.#take(entry, parentOf(this.#base));
    }
    await this.#crew.done();
    for (const link of this.#links) {
      await this.#attempt(link.url, async () => {
        if (await this.#terms.tree.link(link.place, link.target)) notes.linked(link.url, pathOfPlace(link.place));
        else notes.leaveOut(link.url, "same");
      });
    }
  }

  async #globbed(pattern: string): Promise<void> {
    const { client, signal } = this.#terms;
    let found = 0;
    for await (const entry of client.glob(pattern, { signal })) {
      found += 1;
      const above = partsOf(entry.path).slice(0, -1);
      // What stands before the first wildcard is what was asked for; what was found below it keeps its folders.
      const folders = above.slice(this.#base.parts.length - this.#base.folders.length).map((part) => localName(part));
      this.#take(entry, {
        ...this.#base,
        parts: above,
        folders: [...this.#hostPart(), ...folders.slice(this.#hostPart().length)],
      });
    }
    if (found === 0) throw new FtpError("NOT_FOUND", `nothing fits ${pattern}`, { phase: "command" });
  }

  #hostPart(): readonly string[] {
    return this.#terms.options.hostFolder === false ? [] : this.#base.folders.slice(0, 1);
  }

  #urlOf(path: string): string {
    return formatFtpUrl({ ...this.#terms.parsed, path });
  }

  /** One piece of work more. @throws LIMIT, which ends the job. */
  #add(work: () => Promise<void>): void {
    const { most = Number.POSITIVE_INFINITY } = this.#terms.options;
    this.#begun += 1;
    if (this.#begun > most) {
      throw new FtpError("LIMIT", `more than ${most} files and folders`, { phase: "local" });
    }
    this.#crew.add(work);
  }

  #enter(folder: Folder): void {
    this.#add(async () => await this.#attempt(this.#urlOf(folder.path), async () => await this.#read(folder)));
  }

  async #read(folder: Folder): Promise<void> {
    const { client, signal, notes } = this.#terms;
    const listing = client.list(folder.path, { signal });
    let found = 0;
    for await (const entry of listing) {
      found += 1;
      this.#take(entry, folder);
    }
    for (const warning of listing.warnings) notes.fail(this.#urlOf(folder.path), leftOutError(folder.path, warning));
    notes.emit({ kind: "read", url: this.#urlOf(folder.path), found });
  }

  /** What an entry of a folder leads to. */
  #take(entry: Entry, folder: Folder): void {
    const { notes, options } = this.#terms;
    const url = this.#urlOf(entry.path);
    if (entry.type === "directory") this.#goInto(entry, folder);
    else if (entry.type === "other") notes.leaveOut(url, "special");
    else if (!this.#rules.takes(entry.name) || !this.#rules.holds(folder.parts)) notes.leaveOut(url, "rejected");
    else if (entry.type === "file")
      this.#add(async () => await this.#attempt(url, async () => await this.#get(entry, folder)));
    else if (options.links === "follow" || (options.links !== "skip" && entry.target === undefined))
      this.#add(async () => await this.#attempt(url, async () => await this.#follow(entry, folder)));
    else this.#keepLink(entry, folder);
  }

  #goInto(entry: Entry, folder: Folder, links = folder.links): void {
    const { notes, options } = this.#terms;
    const parts = [...folder.parts, entry.name];
    if (!this.#rules.enters(parts)) {
      notes.leaveOut(this.#urlOf(entry.path), "rejected");
      return;
    }
    if (folder.depth >= (options.depth ?? WALK_DEPTH)) {
      notes.leaveOut(this.#urlOf(entry.path), "depth");
      notes.warnOnce("depth", `folders more than ${folder.depth} levels down are left out`);
      return;
    }
    this.#enter({
      path: entry.path,
      parts,
      folders: [...folder.folders, localName(entry.name)],
      depth: folder.depth + 1,
      links,
    });
  }

  #keepLink(entry: Entry, folder: Folder): void {
    const { notes, options } = this.#terms;
    const url = this.#urlOf(entry.path);
    const depth = folder.folders.length - this.#base.folders.length;
    if (options.links === "skip") notes.leaveOut(url, "link");
    else if (entry.target === undefined || !isLinkInside(entry.target, depth)) {
      notes.leaveOut(url, "link");
      notes.warn(`the link ${entry.path} is left out: it leads out of the tree (links "follow" fetches what is there)`);
    } else if (this.#links.length >= JOBS_WAITING) notes.leaveOut(url, "link");
    // Made last of all: until then nothing here is a link.
    else
      this.#links.push({ place: { folders: folder.folders, name: localName(entry.name) }, target: entry.target, url });
  }

  /** As what it is that a link leads to. */
  async #follow(entry: Entry, folder: Folder): Promise<void> {
    const { client, signal, notes } = this.#terms;
    const url = this.#urlOf(entry.path);
    if (folder.links >= LINKS_DEEP) {
      notes.leaveOut(url, "link");
      notes.warnOnce("links", `${entry.path} is left out: more than ${LINKS_DEEP} links lead to it`);
      return;
    }
    const end = await endOfLink(client, entry.path, signal);
    if (end === "directory") this.#goInto(entry, folder, folder.links + 1);
    else if (end === "nowhere") {
      notes.leaveOut(url, "link");
      notes.warn(`the link ${entry.path} is left out: it leads to nothing that this user can get`);
    } else await this.#get({ ...entry, ...end }, folder);
  }

  async #get(entry: Entry, folder: Folder): Promise<void> {
    const { tree, options, signal, client, notes } = this.#terms;
    const { exists = "overwrite", keepTime, resume, quota } = options;
    const url = this.#urlOf(entry.path);
    const place = { folders: folder.folders, name: localName(entry.name) };
    const path = pathOfPlace(place);
    const there = exists === "overwrite" ? undefined : await tree.look(place);
    if (there !== undefined && exists === "skip") {
      notes.leaveOut(url, "exists");
      return;
    }
    const isSame = entry.size === undefined || there?.size === entry.size;
    if (there !== undefined && entry.modified !== undefined && isSame && there.mtimeMs >= entry.modified.ms) {
      notes.leaveOut(url, "same");
      return;
    }
    if (quota !== undefined && notes.octets >= quota) {
      throw new FtpError("LIMIT", `${quota} octets have been fetched`, { phase: "local" });
    }
    notes.emit({ kind: "start", url, path, size: entry.size, resumedAt: 0 });
    const progress = notes.progress(url, path);
    const known = entry.size === undefined ? {} : { entry: { size: entry.size, modified: entry.modified } };
    const done = await tree.within(
      place.folders,
      async (at) =>
        await client.download(entry.path, join(at, place.name), {
          ...known,
          signal,
          keepTime,
          resume,
          keepPart: true,
          onPart: (part) => notes.emit({ kind: "part", url, path: besides(path, part.path), bytes: part.bytes }),
          links: "replace",
          onProgress: ({ bytes, resumedAt, total }) => progress(bytes + resumedAt, total),
        }),
    );
    notes.octets += done.bytes;
    notes.done(url, path, done);
  }

  /** A failure of one file is noted; what would befall all others ends the job. */
  async #attempt(url: string, work: () => Promise<void>): Promise<void> {
    const { signal, notes } = this.#terms;
    try {
      await work();
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (!(error instanceof FtpError) || STOPPING.has(error.code)) throw error;
      notes.fail(url, error);
    }
  }
}

/** What a listing has and nobody can have: the tree here is not whole then. */
function leftOutError(folder: string, warning: string): FtpError {
  const code = warning.includes(NAME_LEFT_OUT) ? "UNSAFE_NAME" : "PROTOCOL";
  return new FtpError(code, `in ${folder === "" ? "the first folder" : folder}: ${warning}`, {
    phase: "transfer",
    connection: "data",
    retryable: false,
  });
}

/** People know no `/proc/self/fd/23`: the folder is that of the file. */
function besides(path: string, part: string): string {
  return join(dirname(path), basename(part));
}

/** What would befall every other file too. */
const STOPPING: ReadonlySet<FtpError["code"]> = new Set([
  "NO_SPACE",
  "AUTH",
  "LIMIT",
  "TLS_UNTRUSTED",
  "TLS_DOWNGRADE",
]);

function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}

/** Of a single file: the folder in which it lies. */
function parentOf(base: Folder): Folder {
  return { ...base, parts: base.parts.slice(0, -1), folders: base.folders.slice(0, -1) };
}
