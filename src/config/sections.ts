/** Every option of every part, by section: the one table that file, environment and flags are read against. */
import { ACCOUNT_OPTIONS } from "../account/options.ts";
import type { OptionTable, OptionValues } from "../base/option.ts";
import { CONTROL_OPTIONS } from "../control/options.ts";
import { BAN_OPTIONS, LIMIT_OPTIONS } from "../guard/options.ts";
import { SERVER_OPTIONS } from "../server/options.ts";
import { TLS_OPTIONS } from "../server/tls-options.ts";
import { SERVE_OPTIONS } from "./serve-options.ts";

export const SECTIONS = {
  serve: SERVE_OPTIONS,
  server: SERVER_OPTIONS,
  account: ACCOUNT_OPTIONS,
  limits: LIMIT_OPTIONS,
  bans: BAN_OPTIONS,
  control: CONTROL_OPTIONS,
  tls: TLS_OPTIONS,
} as const satisfies Readonly<Record<string, OptionTable>>;

type Sections = typeof SECTIONS;
type SectionName = keyof Sections;
export type Configuration = { readonly [Name in SectionName]: OptionValues<Sections[Name]> };

/** An option's name in a file and as a flag: `loginTimeout` is `login-timeout`. */
export function dashed(key: string): string {
  return key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** An option's environment variable: `loginTimeout` is `FERRYMAN_LOGIN_TIMEOUT`. Keys differ across sections (tested). */
export function variable(key: string): string {
  return `FERRYMAN_${dashed(key).replaceAll("-", "_").toUpperCase()}`;
}
