/** Virtual paths: what a client names, never a path of the host. TVFS of RFC 3659 §6. */
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { joined } from "./octets.ts";

declare const brand: unique symbol;
/** Absolute, `/`-separated octets, without empty, `.` and `..` parts. Only this file makes one. */
export type VirtualPath = ByteString & { readonly [brand]: "VirtualPath" };

function brandPath(path: string): VirtualPath {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that makes the brand
  return path as VirtualPath;
}

export const ROOT: VirtualPath = brandPath("/");

/** Resolves `argument` against `cwd`; `..` at the root stays at the root, as in a jail (RFC 3659 §6.2). */
export function resolvePath(cwd: VirtualPath, argument: ByteString): VirtualPath {
  const parts: string[] = [];
  for (const part of `${argument.startsWith("/") ? "" : cwd}/${argument}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return brandPath(`/${parts.join("/")}`);
}

/** The path of an entry of `folder`. `name` is one part as a folder listing gave it, so not `..` and without `/`. */
export function childPath(folder: VirtualPath, name: ByteString): VirtualPath {
  return brandPath(folder === "/" ? `/${name}` : `${folder}/${name}`);
}

/** The folder that holds `path`; the root holds itself. */
export function parentPath(path: VirtualPath): VirtualPath {
  const slash = path.lastIndexOf("/");
  return brandPath(slash <= 0 ? "/" : path.slice(0, slash));
}

/** The last part of `path`, "" for the root. */
export function baseName(path: VirtualPath): ByteString {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a slice of a byte string is one
  return path.slice(path.lastIndexOf("/") + 1) as ByteString;
}

/** The parts of `path` from the root down; none for the root. */
export function pathParts(path: VirtualPath): readonly ByteString[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- slices of a byte string are byte strings
  return path === "/" ? [] : (path.slice(1).split("/") as ByteString[]);
}

/** The way from a folder to a path, as a link in that folder may hold it: never absolute, so never a path of the host. */
export function relativePath(folder: VirtualPath, path: VirtualPath): ByteString {
  const from = pathParts(folder);
  const to = pathParts(path);
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common += 1;
  const way = [...from.slice(common).map(() => ".."), ...to.slice(common)].join("/");
  return joined(way === "" ? "." : way);
}

/** A virtual path of our own writing (configuration, tests): UTF-8 text. */
export function virtualPath(text: string): VirtualPath {
  return resolvePath(ROOT, bytesOfText(text));
}
