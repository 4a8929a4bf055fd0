/** What `ferryman serve` itself is told: where to listen, what to serve, to whom, and where the log goes. */
import { z } from "zod";
import { option } from "../base/option.ts";

/** Addresses on which one server listens; each costs a descriptor. */
const MOST_LISTENERS = 64;
/** Accounts given on a command line: for tries; more belong into a file. */
const MOST_FLAG_USERS = 100;
/** Linux: PATH_MAX. */
const LONGEST_PATH = 4_096;

const path = z.string().min(1).max(LONGEST_PATH);

export const SERVE_OPTIONS = {
  folder: option(path.default("."), "The folder that is served to anonymous, and to users without a home", {
    source: "design.md: with nothing configured, the current folder",
  }),
  listen: option(
    z.array(z.string().min(1).max(255)).min(1).max(MOST_LISTENERS).default(["127.0.0.1:2121", "[::1]:2121"]),
    "Addresses to listen on, HOST:PORT; brackets around an IPv6 address",
    { source: "design.md: loopback, so that nothing is public unasked; 2121 needs no privilege" },
  ),
  anonymous: option(
    z.enum(["off", "read", "drop"]).optional(),
    "What a guest may do: nothing, read, or drop files unseen; read, unless there are users",
    { source: "features.md B1; a server with named users is not opened to everyone unasked" },
  ),
  users: option(path.optional(), "File of accounts, written by `ferryman user`", { source: "features.md B2" }),
  user: option(
    z.array(z.string().min(3).max(LONGEST_PATH)).max(MOST_FLAG_USERS).default([]),
    "Accounts for a try, NAME:PASSWORD[:DIR[:RIGHTS]]; others on this machine can read the password",
    { source: "design.md, The command line" },
  ),
  log: option(z.enum(["pretty", "json", "off"]).default("pretty"), "Form of the log on standard error", {
    source: "features.md C8",
  }),
  xferlog: option(path.optional(), "File that gets one line per transfer in wu-ftpd's xferlog form", {
    source: "features.md C8",
  }),
  workers: option(
    z.int().min(0).max(64).optional(),
    "Worker processes; 0 = everything in one process; absent: one for each processor, 4 at most",
    { source: "design.md, Processes; a worker takes some 50 MiB" },
  ),
  workerUser: option(
    z.string().min(1).max(64).optional(),
    "Whom the workers run as when the server is started by root: USER or USER:GROUP; absent: ferryman, else nobody",
    { source: "design.md, Processes; attack 31" },
  ),
  stateFolder: option(
    path.optional(),
    "Where bans and the self-signed certificate are kept; absent: /var/lib/ferryman for root, else ~/.local/state/ferryman",
    { source: "file-hierarchy(7); XDG Base Directory Specification" },
  ),
} as const;
