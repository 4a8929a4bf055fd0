/** The prompt: who, where, which folder, and whether anybody on the way could read along. In ASCII but for names. */
import { printable } from "../../client/errors.ts";
import type { ServerInfo } from "../../client/types.ts";
import { shownName } from "../progress/figures.ts";

/** Columns of a folder in the prompt. */
const FOLDER_COLUMNS = 40;

type Where = Pick<ServerInfo, "user" | "host" | "tls">;

/**
 * `ann@ftp.example.org:/pub [TLS]> `; `[clear]` where nothing is encrypted.
 * @param form as FTPPROMPT of ftp: `%n` user, `%M` host, `%m` its first part, `%/` folder, `%c` the folder's last part (`%c0N`
 * the last N), `%%`; and `%S`, which is `[TLS]` or `[clear]`. undefined: the usual one.
 */
export function promptText(info: Where | undefined, folder: string, form?: string): string {
  if (info === undefined) return "ferryman (not connected)> ";
  if (form !== undefined) return filled(form, info, folder);
  return `${printable(info.user)}@${printable(info.host)}:${shownName(folder, FOLDER_COLUMNS)} ${safetyOf(info)}> `;
}

function safetyOf({ tls }: Where): string {
  return tls === undefined ? "[clear]" : "[TLS]";
}

function filled(form: string, info: Where, folder: string): string {
  const text = form.replace(
    /%(?:[.c](?:\[?0?\]?(\d))?|([nMm/%S]))/g,
    (_, count: string | undefined, letter?: string) => {
      if (letter === undefined) return shownName(lastParts(folder, Number(count ?? 1)), FOLDER_COLUMNS);
      if (letter === "n") return info.user;
      if (letter === "M") return info.host;
      if (letter === "m") return info.host.split(".", 1)[0] ?? "";
      if (letter === "/") return shownName(folder, FOLDER_COLUMNS);
      return letter === "S" ? safetyOf(info) : "%";
    },
  );
  return printable(text);
}

function lastParts(folder: string, count: number): string {
  const parts = folder.split("/").filter((part) => part !== "");
  return parts.length <= count ? folder : parts.slice(-count).join("/");
}
