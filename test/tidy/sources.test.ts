/** Every RFC that the source cites is one that concerns us, and the cited section exists in its text. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, sourceFiles } from "./source-files.ts";

/** FTP and what it stands on; a number beside these is a slip of the hand or belongs into this list. */
const RFCS: ReadonlySet<number> = new Set([
  775, 854, 959, 1122, 1123, 1184, 1413, 1635, 1639, 1700, 1738, 1918, 1919, 1928, 1929, 1950, 2228, 2389, 2428, 2577,
  2640, 2773, 3339, 3629, 3659, 3927, 3986, 4217, 4291, 5246, 5280, 5797, 5952, 6066, 6335, 6384, 6598, 6886, 6887,
  7151, 7301, 8305, 8446, 8996, 9106, 9110, 9309, 9325, 9525,
]);
/** The texts lie beside the checkout where the project is built, not in it. */
const TEXTS = join(ROOT, "..", "shared", "rfc");

type Cite = { readonly path: string; readonly rfc: number; readonly section: string | undefined };

const CITES: readonly Cite[] = sourceFiles("src/**/*.ts", "docs/**/*.md", "*.md").flatMap(({ path, text }) =>
  [...text.matchAll(/\bRFC (\d+)(?: §(\d+(?:\.\d+)*))?/g)].map(([, rfc, section]) => ({
    path,
    rfc: Number(rfc),
    section,
  })),
);

test("only RFCs that concern FTP are cited", () => {
  assert.ok(CITES.length > 20, "no cites were found");
  const strange = CITES.filter(({ rfc }) => !RFCS.has(rfc)).map(({ path, rfc }) => `${path}: RFC ${rfc}`);
  assert.deepEqual(strange, []);
});

const skip = existsSync(TEXTS) ? false : "the RFC texts are not beside this checkout (../shared/rfc)";

test("each cited section exists in the RFC's text", { skip }, () => {
  const texts = new Map<number, string>();
  for (const name of readdirSync(TEXTS)) {
    const number = /^rfc0*(\d+)\.txt$/.exec(name)?.[1];
    if (number !== undefined) texts.set(Number(number), readFileSync(join(TEXTS, name), "utf8"));
  }
  assert.ok(texts.size > 0, "no text was read");
  assert.ok(hasSection(texts.get(959) ?? "", "4.1.3"));
  assert.ok(!hasSection(texts.get(959) ?? "", "4.1.33"));
  const wrong = CITES.filter(({ rfc, section }) => {
    const text = texts.get(rfc);
    return text !== undefined && section !== undefined && !hasSection(text, section);
  });
  assert.deepEqual(
    wrong.map(({ path, rfc, section }) => `${path}: RFC ${rfc} has no §${section}`),
    [],
  );
});

/** A heading: the number at the start of a line, with or without a dot behind it. */
function hasSection(text: string, section: string): boolean {
  return new RegExp(String.raw`^\s*${section.replaceAll(".", String.raw`\.`)}\.?(?:\s|$)`, "m").test(text);
}
