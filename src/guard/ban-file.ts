/**
 * Bans that outlive a restart: one JSON value a line, so that a damaged line costs that line alone. Replaced in one step;
 * a file with damage is set aside and told of, and what is whole in it holds.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { systemCode } from "../base/system-code.ts";
import { BANS_KEPT, LONGEST_REASON, MANUAL_BANS_KEPT, NAME_COMPARED, NETWORKS_PER_ACCOUNT } from "./limits.ts";
import type { Ban } from "./ban.ts";
import { parseBanTarget } from "./ban.ts";
import type { GuardState } from "./guard.ts";

/** Octets that are read: all bans and known networks at their longest take some 20 MiB. */
const LARGEST_FILE = 67_108_864;
/** Warnings of one file that are told; the rest is more of the same. */
const MOST_WARNINGS = 10;

const time = z.number().int().nonnegative();
const ban = z.object({
  target: z.string().refine((text) => parseBanTarget(text).ok),
  kind: z.enum(["network", "account"]),
  reason: z.string().max(LONGEST_REASON),
  since: time,
  until: time.optional(),
  automatic: z.boolean(),
  repeat: z.number().int().nonnegative(),
});
const known = z.object({
  account: z.string().max(NAME_COMPARED),
  networks: z.array(z.string().max(64)).max(NETWORKS_PER_ACCOUNT),
});
const line = z.union([z.object({ ban }), z.object({ known })]);

export type BanFileContent = { readonly state: GuardState; readonly warnings: readonly string[] };

export class BanFile {
  readonly path: string;
  #saving: Promise<void> = Promise.resolve();
  #next: GuardState | undefined;

  /** @param folder of the server's state; made with mode 0700 if it is not there. */
  constructor(folder: string) {
    this.path = join(folder, "bans.jsonl");
  }

  /** A file that is not there is an empty one. @throws the system's error if one is there and cannot be read. */
  async load(): Promise<BanFileContent> {
    const text = await this.#read();
    const bans: Ban[] = [];
    const accounts = new Map<string, readonly string[]>();
    const damaged: number[] = [];
    for (const [at, each] of text.split("\n").entries()) {
      if (each === "") continue;
      const parsed = line.safeParse(valueOf(each));
      if (!parsed.success) damaged.push(at + 1);
      else if ("known" in parsed.data) accounts.set(parsed.data.known.account, parsed.data.known.networks);
      else bans.push({ ...parsed.data.ban, until: parsed.data.ban.until });
    }
    const state = { bans: bans.slice(0, BANS_KEPT + MANUAL_BANS_KEPT), known: Object.fromEntries(accounts) };
    return { state, warnings: damaged.length === 0 ? [] : await this.#setAside(damaged) };
  }

  /**
   * Replaces the file (mode 0600). Calls during a save are one save after it, with the last state.
   * @throws the system's error; the old file is whole then.
   */
  async save(state: GuardState): Promise<void> {
    const isFirst = this.#next === undefined;
    this.#next = state;
    if (isFirst) {
      this.#saving = this.#saving
        .catch(() => {})
        .then(async () => {
          const last = this.#next;
          this.#next = undefined;
          if (last !== undefined) await this.#write(last);
        });
    }
    await this.#saving;
  }

  async #read(): Promise<string> {
    try {
      const octets = await readFile(this.path);
      return octets.subarray(0, LARGEST_FILE).toString("utf8");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return "";
      throw error;
    }
  }

  async #write({ bans, known: accounts }: GuardState): Promise<void> {
    const lines = [
      ...bans.map((each) => JSON.stringify({ ban: each })),
      ...Object.entries(accounts).map(([account, networks]) => JSON.stringify({ known: { account, networks } })),
    ];
    const folder = dirname(this.path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const temporary = join(folder, `.bans.${randomBytes(6).toString("hex")}.tmp`);
    try {
      await using file = await open(temporary, "wx", 0o600);
      await file.writeFile(lines.map((each) => `${each}\n`).join(""));
      await file.sync();
      await rename(temporary, this.path);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Keeps a copy of what was there: the next save would lose what could not be read. */
  async #setAside(damaged: readonly number[]): Promise<readonly string[]> {
    const aside = `${this.path}.damaged`;
    const [first, ...others] = damaged.slice(0, MOST_WARNINGS);
    const where = `line${others.length === 0 ? "" : "s"} ${[first, ...others].join(", ")}`;
    const more = damaged.length > MOST_WARNINGS ? " and more" : "";
    const warning = `${this.path}: ${where}${more} cannot be read and hold no ban; all others do.`;
    try {
      await copyFile(this.path, aside, constants.COPYFILE_FICLONE);
      return [`${warning} The file is kept as ${aside}`];
    } catch (error) {
      return [`${warning} It could not be kept as ${aside}: ${String(error)}`];
    }
  }
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
