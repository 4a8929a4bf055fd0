/** Servers under names of one's own: `bookmarks.json` in the folder of the configuration, mode 0600, edited by hand too. */
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { faultMessage } from "../base/fault-text.ts";
import { didYouMean } from "../base/nearest.ts";
import { makeFolders } from "../base/make-folders.ts";
import { replaceFile } from "../base/replace-file.ts";
import { systemCode } from "../base/system-code.ts";
import { shellWord } from "../net/tls/credential-file.ts";
import type { BookmarkEntry, BookmarkOptions, BookmarkTable } from "./bookmark-schema.ts";
import { FtpError, usageError } from "./errors.ts";
import { type FolderTerms, configFolder } from "./folders.ts";
import { parseProxy } from "./proxy.ts";
import { type FtpUrl, formatFtpUrl, parseFtpUrl } from "./url.ts";

/** Octets of the file: ten thousand bookmarks. */
const FILE_MOST = 4_194_304;
/** Letters, digits, `_`, `-` and dots within; no slash or colon, which end a name in front of a path. */
const NAME = /^[\p{L}\p{N}_-](?:[\p{L}\p{N}_.-]{0,62}[\p{L}\p{N}_-])?$/u;
/** Mode bits with which others can read. */
const OTHERS_READ = 0o044;

export type { BookmarkOptions };
export type Bookmark = { readonly url: FtpUrl; readonly options: BookmarkOptions };
export type Bookmarks = { readonly byName: ReadonlyMap<string, Bookmark>; readonly warnings: readonly string[] };

export function bookmarksFile(terms: FolderTerms): string {
  return join(configFolder(terms), "bookmarks.json");
}

/** No file is no bookmark. @throws {FtpError} LOCAL_IO for one that is wrong, with the place; it is never changed then. */
export async function readBookmarks(file: string): Promise<Bookmarks> {
  try {
    await using handle = await open(file, "r");
    const { mode, size } = await handle.stat();
    if (size > FILE_MOST) throw fault(file, `it has ${size} octets; ${FILE_MOST} are the most`);
    const written = await parse(await handle.readFile("utf8"), file);
    const byName = new Map(Object.entries(written).map(([name, entry]) => [name, bookmarkOf(entry, { name, file })]));
    const isOpen = process.platform !== "win32" && (mode & OTHERS_READ) !== 0;
    const isExposed = isOpen && [...byName.values()].some(({ url }) => url.password !== undefined);
    const warning = `${file}: others on this machine can read the passwords in it; run: chmod 600 ${shellWord(file)}`;
    return { byName, warnings: isExposed ? [warning] : [] };
  } catch (error) {
    if (error instanceof FtpError) throw error;
    if (systemCode(error) === "ENOENT") return { byName: new Map(), warnings: [] };
    throw fault(file, faultMessage(error), error);
  }
}

/**
 * What `name` or `name/path` of a command line means; a path behind the name goes on from that of the bookmark, with two
 * slashes from the root.
 * @returns undefined where no bookmark has this name: it may be a host.
 */
export function findBookmark({ byName }: Bookmarks, text: string): Bookmark | undefined {
  const slash = text.indexOf("/");
  const bookmark = byName.get(slash === -1 ? text : text.slice(0, slash));
  if (bookmark === undefined || slash === -1) return bookmark;
  const rest = text.slice(slash + 1);
  const { octets: _, path, ...url } = bookmark.url;
  const isFromHere = path !== "" && !rest.startsWith("/");
  return { ...bookmark, url: { ...url, path: isFromHere ? `${path.replace(/\/$/, "")}/${rest}` : rest } };
}

export type NewBookmark = {
  readonly name: string;
  readonly url: FtpUrl;
  readonly options?: BookmarkOptions | undefined;
  /** Writes the password of the URL and that of the proxy in clear. Default: they are left out. */
  readonly keepPassword?: boolean | undefined;
};

/**
 * Adds a bookmark, or puts it in the place of one of the same name.
 * @returns what the user should know of.
 * @throws {FtpError} USAGE for a bad name, LOCAL_IO.
 */
export async function saveBookmark(file: string, bookmark: NewBookmark): Promise<readonly string[]> {
  const { name, url, keepPassword = false } = bookmark;
  if (!NAME.test(name)) {
    const form = "letters, digits, - and _, dots within, at most 64";
    throw usageError(`a bookmark cannot be called ${JSON.stringify(name)}: ${form}`);
  }
  const { options, proxySecret } = withoutLogin(bookmark);
  const hasSecret = url.password !== undefined || proxySecret;
  await edit(file, (written) => ({
    ...written,
    [name]: {
      url: formatFtpUrl(url),
      ...(keepPassword && url.password !== undefined ? { password: url.password } : {}),
      ...(options === undefined ? {} : { options }),
    },
  }));
  if (!hasSecret) return [];
  if (keepPassword) return [`the password lies in clear text in ${file}, which you alone can read`];
  return ["the password is not kept: it is asked for, or taken from .netrc"];
}

/** @throws {FtpError} LOCAL_IO, USAGE with the nearest name where there is none. */
export async function removeBookmark(file: string, name: string): Promise<void> {
  await edit(file, (written) => {
    if (Object.hasOwn(written, name))
      return Object.fromEntries(Object.entries(written).filter(([key]) => key !== name));
    const guess = didYouMean(name, Object.keys(written));
    throw usageError(`there is no bookmark ${JSON.stringify(name)}.${guess}`);
  });
}

async function edit(file: string, change: (written: BookmarkTable) => BookmarkTable): Promise<void> {
  try {
    await makeFolders(dirname(file), 0o700);
    await replaceFile(file, async (before) => {
      const after = change(before === "" ? {} : await parse(before, file));
      return `${JSON.stringify(after, undefined, 2)}\n`;
    });
  } catch (error) {
    throw error instanceof FtpError ? error : fault(file, faultMessage(error), error);
  }
}

async function parse(text: string, file: string): Promise<BookmarkTable> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw fault(file, `it is no JSON: ${faultMessage(error)}`, error);
  }
  // Loaded for those who have bookmarks: zod would double the time that a short command takes.
  const { BOOKMARKS } = await import("./bookmark-schema.ts");
  const found = BOOKMARKS.safeParse(json);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw fault(file, `at ${issue?.path.join(".") ?? "its top"}: ${issue?.message ?? "it is wrong"}`);
}

function bookmarkOf(entry: BookmarkEntry, { name, file }: { name: string; file: string }): Bookmark {
  const { url: text, password, options = {} } = entry;
  try {
    const url = parseFtpUrl(text, { lenient: true });
    return { url: password === undefined ? url : { ...url, password }, options };
  } catch (error) {
    throw fault(file, `the bookmark ${JSON.stringify(name)}: ${faultMessage(error)}`, error);
  }
}

function withoutLogin({ options, keepPassword = false }: NewBookmark): {
  readonly options: BookmarkOptions | undefined;
  readonly proxySecret: boolean;
} {
  if (options?.proxy === undefined) return { options, proxySecret: false };
  const { shown, user } = parseProxy(options.proxy);
  if (user === undefined) return { options, proxySecret: false };
  return { options: keepPassword ? options : { ...options, proxy: shown }, proxySecret: true };
}

function fault(file: string, what: string, cause?: unknown): FtpError {
  return new FtpError("LOCAL_IO", `${file}: ${what}`, { phase: "local", cause });
}
