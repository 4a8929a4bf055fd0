/** The guard's options: `[limits]` says how many and how often, `[bans]` who may not come at all. */
import { z } from "zod";
import { option } from "../base/option.ts";
import { durationSeconds, octets } from "../base/unit-schemas.ts";
import { parseNetwork } from "./cidr.ts";
import { LONGEST_BAN } from "./limits.ts";

/** The largest of each number that makes sense; a larger one is a slip of the hand. */
const MOST = 1_000_000;
/** Networks in one list; more belong into a firewall. */
const MOST_NETWORKS = 10_000;
/** Linux: PATH_MAX. */
const LONGEST_PATH = 4_096;

const count = z.int().min(1).max(MOST);
const networks = z
  .array(
    z.string().superRefine((text, context) => {
      const reading = parseNetwork(text);
      if (!reading.ok) context.addIssue({ code: "custom", message: reading.problem });
    }),
  )
  .max(MOST_NETWORKS);
const path = z.string().min(1).max(LONGEST_PATH);

export const LIMIT_OPTIONS = {
  sessions: option(count.default(10_000), "Sessions at once, signed in or not; more get 421", {
    unit: "sessions",
    source:
      "a session has up to 4 descriptors; Linux allows a service 524,288, systemd's default, and 10,000 leave room",
  }),
  sessionsPerAddress: option(
    count.default(32),
    "Sessions at once from one IPv4 address or IPv6 /64, before the login too; a /48 may have 16 times as many",
    {
      unit: "sessions",
      source: "attack 55; clients open 10 at most (FileZilla), so three people behind one address all get in",
    },
  ),
  sessionsPerAccount: option(
    count.optional(),
    "Sessions at once of one account, unless the account has its own limit",
    {
      unit: "sessions",
      source: "features.md B9; none, because guests share one account",
    },
  ),
  connectionRate: option(
    count.default(600),
    "New connections a minute from one IPv4 address or IPv6 /64, which may all come at once; a /48 may make 16 times as many",
    { unit: "connections", source: "attack 55; a script that starts a client for each small file makes 10 a second" },
  ),
  commandRate: option(
    count.optional(),
    "Commands a second of one session; more are held back, and a session that keeps sending ahead is ended with 421",
    {
      unit: "commands",
      source:
        "none: a session takes one command at a time, and honest ones with small files send 4,000 a second (perf.md)",
    },
  ),
  commandBurst: option(count.default(200), "Commands of one session that are not held back, however fast they come", {
    unit: "commands",
    source: "a client that signs in and looks at a folder of 100 files with SIZE and MDTM",
  }),
  loginTries: option(z.int().min(1).max(100).default(5), "Failed logins in one session before it ends with 421", {
    unit: "logins",
    source: "RFC 2577 §5: 3 to 5",
  }),
  loginDelay: option(
    z.int().min(0).max(60_000).default(250),
    "How long the answer to a first failed login is held back; each further one from the address doubles it",
    { unit: "ms", source: "RFC 2577 §5; attack 37: a person does not notice it once" },
  ),
  loginDelayLongest: option(z.int().min(0).max(60_000).default(8_000), "The longest that such an answer is held back", {
    unit: "ms",
    source: "attack 37; clients give up after 15 s and more",
  }),
  transfersPerAccount: option(count.optional(), "Transfers at once of one account; more get 450", {
    unit: "transfers",
    source: "features.md B9; none, as in other servers",
  }),
  transfersPerAddress: option(count.optional(), "Transfers at once from one IPv4 address or IPv6 /64; more get 450", {
    unit: "transfers",
    source: "features.md B9; none: a session has one transfer, and sessions are counted",
  }),
  sessionMemory: option(
    octets({ min: 65_536, max: 67_108_864 }).default(1_048_576),
    "File data that one session holds in memory while it transfers; commands and replies have 64 KiB each besides",
    {
      unit: "octets",
      source: "perf.md, 6: writes of 1 MiB cost little per octet; a thousand transfers then hold a GiB at most",
    },
  ),
  maximumLoad: option(
    z.number().positive().max(10_000).optional(),
    "The system's 1-minute load average above which new sessions get 421",
    {
      unit: "processes",
      source: "features.md B9, as Pure-FTPd; off, because on Linux the load counts waits for disks too",
    },
  ),
} as const;

export const BAN_OPTIONS = {
  automaticBans: option(z.boolean().default(true), "Ban addresses that offend again and again", {
    source: "features.md C7, attack 37",
  }),
  banThreshold: option(z.int().min(1).max(MOST).default(95), "Points at which an address is banned", {
    unit: "points",
    source: "attack 37: ten failed logins at 10 points, less what fades while their answers are held back",
  }),
  banHalfLife: option(
    durationSeconds({ min: 1, max: 604_800 }).default(1_800),
    "Time in which points fade to the half",
    {
      unit: "s",
      source: "a program that retries an old password every 5 minutes stays below 95 points, one every 4 does not",
    },
  ),
  banTime: option(durationSeconds({ min: 1, max: LONGEST_BAN }).default(600), "Time of a first ban", {
    unit: "s",
    source: "fail2ban's default: an honest user waits it out, 10 guesses in 10 minutes lead nowhere",
  }),
  banGrowth: option(z.int().min(1).max(100).default(2), "How many times longer each further ban of an address is", {
    unit: "times",
    source: "fail2ban's bantime.factor",
  }),
  banLongest: option(
    durationSeconds({ min: 1, max: LONGEST_BAN }).default(604_800),
    "The longest that a ban grows to; after as long without one it begins anew",
    { unit: "s", source: "a week: addresses change hands" },
  ),
  allow: option(networks.default([]), "Addresses and networks that are served whatever `deny` says, and never banned", {
    source: "features.md C9; hosts_access(5): what is allowed is asked first",
  }),
  deny: option(networks.default([]), "Addresses and networks that are refused", { source: "features.md C9" }),
  hostsAllow: option(path.optional(), "File in the form of hosts.allow, asked before `hosts-deny`", {
    source: "features.md C9; hosts_access(5)",
  }),
  hostsDeny: option(path.optional(), "File in the form of hosts.deny", {
    source: "features.md C9; hosts_access(5)",
  }),
} as const;
