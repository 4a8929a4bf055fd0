/** Names alone, as NLST gives them (RFC 959 §4.1.3), at some servers each with its whole path. What they are is not told. */
import { type Format, listedEntry } from "./entry.ts";

export const namesFormat: Format = (line) => {
  const isFolder = line.length > 1 && line.endsWith("/");
  const path = isFolder ? line.slice(0, -1) : line;
  return listedEntry(path.slice(path.lastIndexOf("/") + 1), isFolder ? "directory" : "other");
};
