/** The options of password checks. Which stores there are is for `serve` to say (`--users`, `--anonymous`, `--user`). */
import { z } from "zod";
import { option } from "../base/option.ts";
import { CHECKS_AT_ONCE, CHECKS_WAITING, DEFAULT_COST, GREATEST_COST } from "./passwords.ts";

export const ACCOUNT_OPTIONS = {
  passwordChecks: option(z.int().min(1).max(64).default(CHECKS_AT_ONCE), "Password checks that run at once", {
    unit: "checks",
    source: "attack 38: half of libuv's 4 threads; each takes 19 MiB and 45 ms of a core",
  }),
  passwordQueue: option(
    z.int().min(0).max(10_000).default(CHECKS_WAITING),
    "Logins that wait for a password check; more get 421",
    { unit: "logins", source: "attack 38: 50 bad logins at once must be answered, the last after 1.5 s" },
  ),
  passwordMemory: option(
    z.int().min(8).max(GREATEST_COST.memory).default(DEFAULT_COST.memory),
    "Memory of a new password hash (argon2id)",
    { unit: "KiB", source: "OWASP Password Storage Cheat Sheet; RFC 9106 §4" },
  ),
  passwordPasses: option(
    z.int().min(1).max(GREATEST_COST.passes).default(DEFAULT_COST.passes),
    "Passes of a new password hash (argon2id)",
    { source: "OWASP Password Storage Cheat Sheet; RFC 9106 §4" },
  ),
} as const;
