/**
 * Edits of a TOML text that leave every line alone that they do not change: comments, order, blank lines, line ends.
 * Each edit is made twice, on the characters and on the parsed values; where the two disagree nothing is returned.
 */
import { isDeepStrictEqual } from "node:util";
import { TomlDate, parse } from "smol-toml";
import { type Statement, type TomlPath, isSame, isUnder, tomlStatements } from "./toml-statements.ts";

export type TomlValue = string | number | boolean | TomlDate | readonly TomlValue[] | TomlObject;
export type TomlObject = { readonly [key: string]: TomlValue };

export type TomlEdit =
  /** A new or another value. An array grows by the index that follows its last one. */
  | { readonly kind: "set"; readonly path: TomlPath; readonly value: TomlValue }
  /** A key with all below it; one that is not there is no fault. */
  | { readonly kind: "remove"; readonly path: TomlPath };

/** The text is valid but written in a way that these edits do not reach: a person has to. */
export class TomlEditError extends Error {
  override readonly name = "TomlEditError";
}

/** @param text valid TOML. @throws {TomlEditError} */
export function editToml(text: string, edits: readonly TomlEdit[]): string {
  const values: unknown = parse(text);
  let edited = text;
  for (const edit of edits) {
    edited = edit.kind === "set" ? set(edited, edit) : remove(edited, edit.path);
    change(values, edit);
  }
  if (!isDeepStrictEqual(comparable(parseEdited(edited)), comparable(values))) throw new TomlEditError(UNREACHED);
  return edited;
}

const UNREACHED = "the file is written in a way that cannot be edited safely; change it by hand";

function parseEdited(text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new TomlEditError(UNREACHED, { cause });
  }
}

function set(text: string, { path, value }: { readonly path: TomlPath; readonly value: TomlValue }): string {
  const statements = tomlStatements(text);
  const holder = statements.find((each) => each.kind === "pair" && isUnder(path, each.path));
  if (holder !== undefined) {
    const rest = path.slice(holder.path.length);
    return withValue(text, holder, rest.length === 0 ? value : changedInside(text, holder, { rest, value }));
  }
  const parent = path.slice(0, -1);
  if (!isObject(value)) {
    const section = statements.findLast((each) => each.kind !== "pair" && isSame(each.path, parent));
    if (section !== undefined) {
      const last = statements.findLast((each) => each.kind === "pair" && each.header === section.header) ?? section;
      return insertAfter(text, last, [pairText(path.slice(parent.length), value)]);
    }
  }
  return setAnew(text, statements, { path, value });
}

/** Nothing of this table is there yet: a dotted key beside its like, or a section of its own. */
function setAnew(
  text: string,
  statements: readonly Statement[],
  { path, value }: { readonly path: TomlPath; readonly value: TomlValue },
): string {
  const near = nearestUnder(statements, path.slice(0, -1));
  if (near !== undefined && near.statement.header.length < near.depth) {
    const isElement = typeof path.at(-1) === "number";
    const key = (isElement ? path.slice(0, -1) : path).slice(near.statement.header.length);
    return insertAfter(text, near.statement, [pairText(key, isElement ? [value] : value)]);
  }
  const parent = isObject(value) ? path : path.slice(0, -1);
  const key = String(path.at(-1));
  const lines = ["", ...sectionLines(parent, isObject(value) ? value : { [key]: value })];
  if (near !== undefined && near.depth > 1) return insertAfter(text, near.statement, lines);
  return append(text, text.trim() === "" ? lines.slice(1) : lines);
}

/** The last statement at or below the longest start of `path` that has any. */
function nearestUnder(
  statements: readonly Statement[],
  path: TomlPath,
): { readonly statement: Statement; readonly depth: number } | undefined {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const statement = statements.findLast((each) => isUnder(each.path, path.slice(0, depth)));
    if (statement !== undefined) return { statement, depth };
  }
  return undefined;
}

function remove(text: string, path: TomlPath): string {
  const statements = tomlStatements(text);
  const holder = statements.find((each) => each.kind === "pair" && isUnder(path, each.path));
  if (holder !== undefined && !isSame(holder.path, path)) {
    const rest = path.slice(holder.path.length);
    return withValue(text, holder, changedInside(text, holder, { rest }));
  }
  let edited = text;
  // From the end on, so that the offsets before stay true.
  for (const statement of statements.toReversed()) {
    if (!isUnder(statement.path, path)) continue;
    if (statement.kind === "pair" && isUnder(statement.header, path)) continue;
    edited = statement.kind === "pair" ? cut(edited, statement) : cutSection(edited, statements, statement);
  }
  return edited;
}

function cut(text: string, { start, end }: { readonly start: number; readonly end: number }): string {
  return text.slice(0, start) + text.slice(end);
}

/** A section with the comment right above it and right below it; one at the head of the file speaks of the file. */
function cutSection(text: string, statements: readonly Statement[], section: Statement): string {
  const last = statements.findLast((each) => each.kind === "pair" && each.header === section.header) ?? section;
  const above = startOfCommentAbove(text, section.start);
  const start = above === 0 ? section.start : above;
  const below = /^(?:[ \t]*#[^\n]*(?:\n|$))+(?=[ \t\r]*(?:\n|$))/.exec(text.slice(last.end));
  const end = last.end + (below?.[0].length ?? 0);
  const blank = /^[ \t\r]*\n/.exec(text.slice(end))?.[0].length ?? 0;
  const kept = cut(text, { start, end: end + blank });
  return end + blank < text.length ? kept : kept.replace(/(?:\r?\n)+$/, endOfLine(text));
}

/** @param at the start of a line. @returns the start of the first of the comment lines right above it, else `at`. */
function startOfCommentAbove(text: string, at: number): number {
  let start = at;
  while (start > 0) {
    const previous = text.lastIndexOf("\n", start - 2) + 1;
    if (!text.slice(previous, start).trimStart().startsWith("#")) return start;
    start = previous;
  }
  return start;
}

function withValue(text: string, { value: { start, end } }: Statement, value: TomlValue): string {
  return text.slice(0, start) + valueText(value) + text.slice(end);
}

/** The value of a pair after a change below it; without `value` the key is removed. */
function changedInside(
  text: string,
  holder: Statement,
  { rest, value }: { readonly rest: TomlPath; readonly value?: TomlValue },
): TomlValue {
  const inside: { value?: TomlValue } = { ...parse(`value = ${text.slice(holder.value.start, holder.value.end)}`) };
  const path = ["value", ...rest];
  change(inside, value === undefined ? { kind: "remove", path } : { kind: "set", path, value });
  if (inside.value === undefined) throw new TomlEditError(UNREACHED);
  return inside.value;
}

/** The same edit on parsed values. */
function change(values: unknown, edit: TomlEdit): void {
  let at: unknown = values;
  for (const [depth, key] of edit.path.slice(0, -1).entries()) {
    if (!isTable(at)) throw new TomlEditError(UNREACHED);
    if (at[key] === undefined && edit.kind === "remove") return;
    at[key] ??= typeof edit.path[depth + 1] === "number" ? [] : {};
    at = at[key];
  }
  const last = edit.path.at(-1);
  if (!isTable(at) || last === undefined) throw new TomlEditError(UNREACHED);
  if (edit.kind === "set") at[last] = edit.value;
  else if (Array.isArray(at)) at.splice(Number(last), 1);
  else delete at[last];
}

function isTable(value: unknown): value is Record<string | number, unknown> {
  return typeof value === "object" && value !== null && !(value instanceof Date);
}

function isObject(value: TomlValue): value is TomlObject {
  return isTable(value) && !Array.isArray(value);
}

/** Plain objects and dates as text: what two readings of one content have in common. An empty table says nothing. */
function comparable(value: unknown): unknown {
  if (value instanceof Date) return { date: value.toISOString() };
  if (Array.isArray(value)) return value.map(comparable);
  if (!isTable(value)) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, comparable(each)] as const);
  return Object.fromEntries(entries.filter(([, each]) => !isTable(each) || Object.keys(each).length > 0));
}

function insertAfter(text: string, { end }: Statement, lines: readonly string[]): string {
  const eol = endOfLine(text);
  const joint = text.endsWith("\n") || end < text.length ? "" : eol;
  return text.slice(0, end) + joint + lines.map((line) => line + eol).join("") + text.slice(end);
}

function append(text: string, lines: readonly string[]): string {
  const eol = endOfLine(text);
  const joint = text === "" || text.endsWith("\n") ? "" : eol;
  return text + joint + lines.map((line) => line + eol).join("");
}

function endOfLine(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** A header with its pairs, then the tables and arrays of tables below it. */
function sectionLines(path: TomlPath, value: TomlObject): readonly string[] {
  const isElement = typeof path.at(-1) === "number";
  const name = keyPath(path);
  const lines = [isElement ? `[[${name}]]` : `[${name}]`];
  const below: string[] = [];
  for (const [key, each] of Object.entries(value)) {
    if (isObject(each)) below.push("", ...sectionLines([...path, key], each));
    else if (isObjects(each)) {
      for (const [index, element] of each.entries()) below.push("", ...sectionLines([...path, key, index], element));
    } else lines.push(pairText([key], each));
  }
  return [...lines, ...below];
}

function isObjects(value: TomlValue): value is readonly TomlObject[] {
  return Array.isArray(value) && value.length > 0 && value.every((each: TomlValue) => isObject(each));
}

function pairText(key: TomlPath, value: TomlValue): string {
  return `${keyPath(key)} = ${valueText(value)}`;
}

function keyPath(path: TomlPath): string {
  const keys = path.filter((key) => typeof key === "string");
  return keys.map((key) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : stringText(key))).join(".");
}

function valueText(value: TomlValue): string {
  if (typeof value === "string") return stringText(value);
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return `[${value.map((each: TomlValue) => valueText(each)).join(", ")}]`;
  if (typeof value === "number" || typeof value === "boolean") return `${value}`;
  const pairs = Object.entries(value).map(([key, each]) => pairText([key], each));
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

/** JSON's escapes are TOML's too; U+007F alone needs one more. */
function stringText(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", String.raw`\u007f`);
}
