/** How the reader calls us: hints must work when they are copied, in a checkout as well as after an installation. */
import { join, relative } from "node:path";

/** `ferryman`, or in a checkout, where no such command is on the PATH, `node bin/ferryman.cjs` as seen from here. */
export const PROGRAM: string = import.meta.filename.endsWith(".ts")
  ? `node ${relative(process.cwd(), join(import.meta.dirname, "..", "..", "bin", "ferryman.cjs"))}`
  : "ferryman";

/**
 * The `serve` that was typed, changed: a hint that forgot the folder or the users would serve something else.
 * @param listen in place of every `--listen`; absent: those stay.
 * @param more words to add, unless their first one was typed already.
 */
export function serveAgain(
  { listen, more = [] }: { readonly listen?: string; readonly more?: readonly string[] },
  typed: readonly string[] = process.argv.slice(2),
): string {
  const words = typed[0] === "serve" ? [...typed] : ["serve"];
  if (listen !== undefined) {
    for (let at = words.length - 1; at >= 0; at--) {
      if (words[at] === "--listen") words.splice(at, 2);
      else if (words[at]?.startsWith("--listen=") === true) words.splice(at, 1);
    }
    words.push("--listen", listen);
  }
  const [first = ""] = more;
  if (!words.some((word) => word === first || word.startsWith(`${first}=`))) words.push(...more);
  return [PROGRAM, ...words.map(shellWord)].join(" ");
}

/**
 * The `serve` that was typed, for clients of other machines: every loopback address becomes every address, and whoever
 * signs in does so over TLS.
 * @param port where nothing was typed, or a configuration file says where to listen.
 */
export function serveForOthers(
  port: number,
  { accounts }: { readonly accounts: boolean },
  typed: readonly string[] = process.argv.slice(2),
): string {
  const words = typed[0] === "serve" ? [...typed] : ["serve"];
  const opened = words.map((word) =>
    word.replace(
      /^((?:--listen=)?(?:ftps?:\/\/)?)(127\.0\.0\.1|\[::1\]|localhost):(?=\d)/,
      (_all, before, host) => `${String(before)}${host === "[::1]" ? "[::]" : "0.0.0.0"}:`,
    ),
  );
  if (!words.some((word) => word.startsWith("--listen"))) opened.push("--listen", `0.0.0.0:${port}`);
  if (accounts && !words.some((word) => word.startsWith("--tls"))) opened.push("--tls", "require");
  return [PROGRAM, ...opened.map(shellWord)].join(" ");
}

/** As a shell takes it for one word. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./~[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
