/**
 * One line per option: the key in `ferryman.toml`, the environment variable, the flag, the default, the manual and
 * the JSON Schema are all made from it in `config/`. A part keeps its own in `<part>/options.ts`.
 */
import type { z } from "zod";

export type Option<T> = {
  /** With `.default(...)`, unless the option may be absent. */
  readonly schema: z.ZodType<T>;
  /** One sentence for the manual: what it does, not how. */
  readonly about: string;
  /** "s", "octets", "sessions" …; absent for what has none. */
  readonly unit?: string;
  /** Where the default comes from: an RFC section, a measurement, an attack number. */
  readonly source: string;
};
export type OptionTable = Readonly<Record<string, Option<unknown>>>;
export type OptionValues<Table extends OptionTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Option<infer T> ? T : never;
};

export function option<T>(schema: z.ZodType<T>, about: string, facts: { unit?: string; source: string }): Option<T> {
  return { schema, about, ...facts };
}

/**
 * The values of a part's options: what is given, else the default.
 * @throws {z.ZodError} for a value that its option does not allow.
 */
export function optionValues<Table extends OptionTable>(
  table: Table,
  given: { readonly [Key in keyof Table]?: unknown } = {},
): OptionValues<Table> {
  const values: Record<string, unknown> = {};
  for (const [key, { schema }] of Object.entries(table)) values[key] = schema.parse(given[key]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value has just passed its own schema
  return values as OptionValues<Table>;
}
