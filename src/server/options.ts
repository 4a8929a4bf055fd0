/** The server's options: each line is the key, flag, default and manual of one (see base/option.ts). */
import { z } from "zod";
import { option } from "../base/option.ts";

/** Octets a second: 1 TiB, for "no limit that matters". */
const rate = z
  .int()
  .min(0)
  .max(2 ** 40)
  .default(0);

const seconds = (most: number): z.ZodNumber => z.int().min(1).max(most);

const RATE_FACTS = { unit: "octets", source: "features.md B10; off, as nobody is slowed down unasked" } as const;

export const SERVER_OPTIONS = {
  banner: option(z.string().max(2_000).default("Ferryman ready."), "Text of the greeting; lines split at line ends", {
    source: "RFC 959 §5.4; it names no version, which would help only those who look for old holes",
  }),
  hosts: option(z.array(z.string().max(255)).max(100).default([]), "Names that HOST accepts; none: every name", {
    source: "RFC 7151 §3.2",
  }),
  loginTimeout: option(seconds(3_600).default(60), "Time to sign in before 421", {
    unit: "s",
    source: "vsftpd and ProFTPD: 60 to 300; people type slower than programs, so not less",
  }),
  idleTimeout: option(seconds(86_400).default(300), "Time without a command or a transfer before 421", {
    unit: "s",
    source: "RFC 1123 §4.1.3.2: at least 5 minutes",
  }),
  idleMaximum: option(seconds(86_400).default(7_200), "The most that SITE IDLE may ask for", {
    unit: "s",
    source: "wu-ftpd's default limit",
  }),
  dataOpenTimeout: option(seconds(600).default(30), "Time for a data connection to come about before 425", {
    unit: "s",
    source: "nat.md §2: peers hang 60 to 134 s, users give up earlier; a SYN is retried 4 times in 30 s",
  }),
  stallTimeout: option(seconds(3_600).default(120), "Time without one octet on a data connection before 426", {
    unit: "s",
    source: "attack 54; twice the longest pause of TCP's own retries on a working path",
  }),
  graceTimeout: option(seconds(3_600).default(10), "Time that transfers get when the server is told to stop", {
    unit: "s",
    source: "issue 2: Ctrl-C",
  }),
  uploadRate: option(rate, "Octets a second that one session may upload; 0: no limit", RATE_FACTS),
  downloadRate: option(rate, "Octets a second that one session may download, listings too; 0: no limit", RATE_FACTS),
  serverUploadRate: option(rate, "Octets a second that all sessions together may upload; 0: no limit", RATE_FACTS),
  serverDownloadRate: option(
    rate,
    "Octets a second that all sessions together may download, listings too; 0: no limit",
    RATE_FACTS,
  ),
  fxp: option(
    z.boolean().default(false),
    "Allow data connections to and from third hosts (server to server); whoever is first at a passive port has it then",
    {
      source: "RFC 2577 §3: off, because of bounce attacks (attack 1)",
    },
  ),
  dataPath: option(
    z.enum(["auto", "native", "portable"]).default("auto"),
    "How octets go between files and data connections: by system calls alone where that works, or through Node's streams",
    { source: "docs/decisions/018-native-data-path.md; `ferryman doctor` tells which one is in force" },
  ),
  compression: option(z.boolean().default(true), "Offer MODE Z: files and listings compressed on their way", {
    source: "draft-preston-ftpext-deflate-04; its limits are in src/net/limits.ts (attack 52)",
  }),
  congestionControl: option(
    z
      .string()
      .regex(/^[a-z0-9_-]{1,15}$/)
      .optional(),
    "Congestion control of passive data connections, as bbr for long ways that lose packets; absent: the system's",
    { source: "tcp(7), TCP_CONGESTION; needs the native data path" },
  ),
  passivePorts: option(
    z
      .object({ first: z.int().min(1_024).max(65_535), last: z.int().min(1_024).max(65_535) })
      .refine(({ first, last }) => first <= last, "the first port must not be above the last")
      .default({ first: 49_152, last: 65_535 }),
    "Range of the passive data ports",
    { unit: "ports", source: "RFC 6335 §6: the dynamic ports" },
  ),
  advertise: option(z.ipv4().optional(), "IPv4 address that 227 names, when the server stands behind a NAT", {
    source: "features.md D1",
  }),
  messageFiles: option(z.boolean().default(true), "Show a folder's `.message` after CWD, if it belongs to an admin", {
    source: "features.md A8; attack 60: only files that the session itself may not write are shown",
  }),
} as const;
