/** Which names and folders are fetched: the patterns of wget's -A, -R, -I and -X. */
import { bytesOfText } from "../../base/bytes.ts";
import { compileGlob, hasGlob } from "../../protocol/glob.ts";
import { usageError } from "../errors.ts";
import { PATTERN_LENGTH } from "../limits.ts";
import { PATTERNS } from "./limits.ts";
import type { FetchOptions } from "./types.ts";

type Test = (text: string) => boolean;
/** A pattern of a folder, part by part. */
type FolderTest = readonly Test[];

export class Rules {
  readonly #accept: readonly Test[];
  readonly #reject: readonly Test[];
  readonly #include: readonly FolderTest[];
  readonly #exclude: readonly FolderTest[];

  /** @param start parts of the first folder's path. @throws {FtpError} USAGE. */
  constructor(options: FetchOptions, start: readonly string[]) {
    const { accept = [], reject = [], include = [], exclude = [], ignoreCase = false } = options;
    const names = (patterns: readonly string[]): readonly Test[] =>
      checked(patterns).map((pattern) => nameTest(pattern, ignoreCase));
    const folders = (patterns: readonly string[]): readonly FolderTest[] =>
      checked(patterns).map((pattern) => folderTest(pattern, start, ignoreCase));
    this.#accept = names(accept);
    this.#reject = names(reject);
    this.#include = folders(include);
    this.#exclude = folders(exclude);
  }

  /** Whether a file of this name is to be kept. */
  takes(name: string): boolean {
    if (this.#accept.length > 0 && !this.#accept.some((test) => test(name))) return false;
    return !this.#reject.some((test) => test(name));
  }

  /** Whether a folder may be gone into: it is included, or on the way to one that is. */
  enters(folder: readonly string[]): boolean {
    if (this.#isExcluded(folder)) return false;
    return this.#include.length === 0 || this.#include.some((tests) => fits(tests, folder));
  }

  /** Whether files that lie in a folder are to be fetched. */
  holds(folder: readonly string[]): boolean {
    if (this.#isExcluded(folder)) return false;
    return (
      this.#include.length === 0 || this.#include.some((tests) => folder.length >= tests.length && fits(tests, folder))
    );
  }

  #isExcluded(folder: readonly string[]): boolean {
    return this.#exclude.some((tests) => folder.length >= tests.length && fits(tests, folder));
  }
}

/** As far as both of them go. */
function fits(tests: FolderTest, folder: readonly string[]): boolean {
  return tests.every((test, at) => at >= folder.length || test(folder[at] ?? ""));
}

function checked(patterns: readonly string[]): readonly string[] {
  if (patterns.length > PATTERNS) throw usageError(`there are ${patterns.length} patterns; ${PATTERNS} are the most`);
  for (const pattern of patterns) {
    if (pattern === "") throw usageError("a pattern is empty");
    if (pattern.length > PATTERN_LENGTH)
      throw usageError(`a pattern has ${pattern.length} characters; ${PATTERN_LENGTH} are the most`);
  }
  return patterns;
}

/** Without a wildcard it is the end of a name: `-A iso`, `-A .tar.gz`. */
function nameTest(pattern: string, ignoreCase: boolean): Test {
  const folded = fold(pattern, ignoreCase);
  if (!hasGlob(folded)) return (name) => fold(name, ignoreCase).endsWith(folded);
  return globTest(folded, ignoreCase);
}

function folderTest(pattern: string, start: readonly string[], ignoreCase: boolean): FolderTest {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  const whole = pattern.startsWith("/") ? parts : [...start.map(literal), ...parts];
  return whole.map((part) => globTest(fold(part, ignoreCase), ignoreCase));
}

function literal(part: string): string {
  return part.replaceAll(/[\\*?[\]{},]/g, (character) => `\\${character}`);
}

function globTest(pattern: string, ignoreCase: boolean): Test {
  const matches = compileGlob(bytesOfText(pattern));
  return (text) => matches(bytesOfText(fold(text, ignoreCase)));
}

function fold(text: string, ignoreCase: boolean): string {
  return ignoreCase ? text.toLowerCase() : text;
}
