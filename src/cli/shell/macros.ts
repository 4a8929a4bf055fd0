/** Macros of ftp: lines under a name, in which `$1` to `$9` are the words behind it and `$i` each of them in turn. */
import { MACROS_MOST, MACRO_LINES_MOST } from "./limits.ts";
import { ShellError } from "./errors.ts";
import { quoted } from "./words.ts";

/** @returns the lines with the words in them; those with `$i` somewhere once for each word. */
export function macroText(lines: readonly string[], words: readonly string[]): string {
  const isLoop = lines.some((line) => /(?<!\\)\$i/.test(line));
  const rounds = isLoop ? words : [""];
  return rounds.flatMap((each) => lines.map((line) => filled(line, { each, words }))).join("\n");
}

function filled(line: string, { each, words }: { readonly each: string; readonly words: readonly string[] }): string {
  return line.replace(/\\\$|\$(\d|i)/g, (_, which: string | undefined) => {
    if (which === undefined) return "$";
    const word = which === "i" ? each : words[Number(which) - 1];
    return word === undefined ? "" : quoted(word);
  });
}

/** @throws {ShellError} when there are too many macros, or too many lines in it. */
export function keepMacro(
  macros: Map<string, readonly string[]>,
  { name, lines }: { readonly name: string; readonly lines: readonly string[] },
): void {
  if (lines.length > MACRO_LINES_MOST) throw new ShellError(`a macro has at most ${MACRO_LINES_MOST} lines`);
  if (!macros.has(name) && macros.size >= MACROS_MOST) throw new ShellError(`there are ${MACROS_MOST} macros already`);
  macros.set(name, lines);
}
