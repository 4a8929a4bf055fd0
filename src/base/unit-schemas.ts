/** Sizes and durations as zod schemas for options. */
import { z } from "zod";
import { parseDuration, parseOctets } from "./units.ts";

/** A whole number of seconds, given as a number or as text. */
export function durationSeconds({ min = 0, max }: { min?: number; max: number }): z.ZodType<number> {
  return quantity(parseDuration, 'a time like "90s", "10m" or "1h30m"', z.int().min(min).max(max));
}

/** A whole number of octets, given as a number or as text. */
export function octets({ min = 0, max }: { min?: number; max: number }): z.ZodType<number> {
  return quantity(parseOctets, 'a size like "512KiB", "2MiB" or "1GB"', z.int().min(min).max(max));
}

function quantity(parse: (text: string) => number | undefined, what: string, within: z.ZodInt): z.ZodType<number> {
  return z
    .union([z.number(), z.string()], `expected ${what}`)
    .transform((given, context) => {
      const value = typeof given === "number" ? given : parse(given);
      if (value !== undefined) return value;
      context.addIssue({ code: "custom", message: `expected ${what}` });
      return z.NEVER;
    })
    .pipe(within);
}
