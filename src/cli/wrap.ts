/** Text for people, broken at blanks where a terminal shows it; in files and pipes a line stays whole, so that it can be searched. */
import { widthOf } from "./columns.ts";

/** Columns of a terminal that does not say how wide it is. */
const COLUMNS = 80;
/** Narrower than this, a word in each line would be harder to read than what the terminal does by itself. */
const NARROWEST = 20;

/** What is needed of a standard stream. */
export type Shown = { readonly isTTY?: boolean; readonly columns?: number };

/** @param text lines; what has to be broken goes on two blanks further in. A word that is too long stays whole, to be copied. */
export function wrapped(text: string, columns: number): string {
  return text
    .split("\n")
    .map((line) => (widthOf(line) <= columns || columns < NARROWEST ? line : brokenLine(line, columns)))
    .join("\n");
}

/** @param stream where it will be written. */
export function fitting(text: string, { isTTY, columns }: Shown): string {
  // Some terminals say 0 for "unknown".
  return isTTY === true ? wrapped(text, columns || COLUMNS) : text;
}

function brokenLine(line: string, columns: number): string {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = indent;
  // Blanks within stay as they are: columns of a table, two blanks behind a name.
  for (const [, blanks = "", word = ""] of line.slice(indent.length).matchAll(/( *)([^ ]+)/g)) {
    const longer = current.trim() === "" ? current + word : current + blanks + word;
    if (widthOf(longer) <= columns || current.trim() === "") current = longer;
    else {
      lines.push(current);
      current = `${indent}  ${word}`;
    }
  }
  return [...lines, current].join("\n");
}
