/** The prompt: who, where, which folder, and whether anybody on the way could read along. In ASCII but for names. */
import { printable } from "../../client/errors.ts";
import type { ServerInfo } from "../../client/types.ts";
import { shownName } from "../progress/figures.ts";

/** Columns of a folder in the prompt. */
const FOLDER_COLUMNS = 40;

/** `ann@ftp.example.org:/pub [TLS]> `; `[clear]` where nothing is encrypted. */
export function promptText(info: Pick<ServerInfo, "user" | "host" | "tls"> | undefined, folder: string): string {
  if (info === undefined) return "ferryman (not connected)> ";
  const safety = info.tls === undefined ? "[clear]" : "[TLS]";
  return `${printable(info.user)}@${printable(info.host)}:${shownName(folder, FOLDER_COLUMNS)} ${safety}> `;
}
