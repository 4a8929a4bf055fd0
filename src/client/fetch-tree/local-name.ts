/**
 * Names on our disk for what servers and links name: none leads out of its folder, none ends a line or disturbs a terminal,
 * and none is longer than a file system takes (attack 64). What cannot stay is written as `%` and two digits, as in URLs.
 */
import { createHash } from "node:crypto";
import { unsafeName } from "../../protocol/listings/unsafe-name.ts";
import { bytesOfText } from "../../base/bytes.ts";
import { NAME_OCTETS } from "./limits.ts";

/** Where a document lies below the target folder. */
export type Place = { readonly folders: readonly string[]; readonly name: string };

export type PlaceTerms = {
  readonly hostFolder: boolean;
  /** Folders of the path that are left out. */
  readonly cutFolders: number;
  readonly windows?: boolean | undefined;
};

/** Digits of the digest of a name that is too long: enough that no two of a folder meet. */
const DIGEST_DIGITS = 16;
/** Characters of what is kept behind the last dot of such a name. */
const EXTENSION_MOST = 12;
const IS_WINDOWS = process.platform === "win32";

/** @returns one part of a path, never empty, `.` or `..`. */
export function localName(name: string, windows = IS_WINDOWS): string {
  let safe = name.replaceAll(windows ? UNSAFE_ON_WINDOWS : UNSAFE, escapedCharacter);
  if (safe === "") safe = "%";
  if (safe === "." || safe === "..") safe = safe.replaceAll(".", "%2E");
  // What else Windows does not like is at the front (devices) or at the end (dots, spaces).
  if (windows && unsafeName(bytesOfText(safe), { windows }) !== undefined) safe = shielded(safe);
  return Buffer.byteLength(safe) <= NAME_OCTETS ? safe : shortened(safe);
}

// oxlint-disable-next-line no-control-regex -- control characters are what is meant
const UNSAFE = /[\0-\x1f/\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;
// oxlint-disable-next-line no-control-regex -- control characters are what is meant
const UNSAFE_ON_WINDOWS = /[\0-\x1f/\\:*?"<>|\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

function escapedCharacter(character: string): string {
  const code = character.charCodeAt(0);
  // A lone surrogate stands for an octet that is no text: U+DC00 and the octet (charset.ts).
  const octets = code >= 0xdc00 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character);
  return [...octets].map((octet) => `%${octet.toString(16).padStart(2, "0").toUpperCase()}`).join("");
}

function shielded(name: string): string {
  const end = name.replace(/[. ]$/, (last) => (last === "." ? "%2E" : "%20"));
  return unsafeName(bytesOfText(end), { windows: true }) === undefined ? end : `%${end}`;
}

function shortened(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex").slice(0, DIGEST_DIGITS);
  const extension = /\.[\w-]+$/.exec(name)?.[0] ?? "";
  const tail = `~${digest}${extension.length <= EXTENSION_MOST ? extension : ""}`;
  // A character that is cut in two becomes U+FFFD, which is left out.
  const head = Buffer.from(name)
    .subarray(0, NAME_OCTETS - tail.length)
    .toString()
    .replace(/\ufffd+$/, "");
  return `${head}${tail}`;
}

/** @param url of http or https. A page without a name is `index.html`, as wget has it. */
export function placeOfUrl(url: URL, { hostFolder, cutFolders, windows = IS_WINDOWS }: PlaceTerms): Place {
  const parts = url.pathname.split("/").slice(1).map(decoded);
  const last = parts.pop() ?? "";
  const folders = parts
    .filter((part) => part !== "")
    .slice(cutFolders)
    .map((part) => localName(part, windows));
  const query = url.search === "" ? "" : `${windows ? "@" : "?"}${url.search.slice(1)}`;
  const name = localName(`${last === "" ? "index.html" : last}${query}`, windows);
  return { folders: hostFolder ? [localName(url.host, windows), ...folders] : folders, name };
}

/** A page that does not say so by its name gets `.html`, so that a folder of the same name can lie beside it. */
export function asPage({ folders, name }: Place): Place {
  return /\.(?:x?html?|php|aspx?|jsp)$/i.test(name) && !/[?@]/.test(name)
    ? { folders, name }
    : { folders, name: localName(`${name}.html`) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // No UTF-8: the escapes stay.
    return part;
  }
}

/** For messages and events. */
export function pathOfPlace({ folders, name }: Place): string {
  return [...folders, name].join("/");
}

/**
 * Whether a link may be made in a folder of the tree: it stays inside wherever the others lead. `..` may stand at its front
 * alone, as behind the name of another link it would mean something else.
 * @param depth folders between the root of the tree and the link.
 */
export function isLinkInside(target: string, depth: number): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  if (target === "" || /^\/|[\0-\x1f\x7f\\]|^[a-z]:/i.test(target)) return false;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const up = parts.findIndex((part) => part !== "..");
  const leading = up === -1 ? parts.length : up;
  return leading <= depth && !parts.slice(leading).includes("..");
}
