/** What the other side may not be able to do: it is tried, and after a refusal neither tried nor complained of again. */
import { FtpError } from "../errors.ts";
import { REFUSALS_MOST } from "./limits.ts";
import type { Notes } from "./notes.ts";

export type Ability = "times" | "modes" | "links" | "hashes";

const WITHOUT: Readonly<Record<Ability, string>> = {
  times: "the times of files cannot be set here: a younger copy of equal size counts as the same",
  modes: "permissions cannot be set here: they are not kept",
  links: "links cannot be made here: they are left out",
  hashes: "the server has no digests: files are compared by size and time",
};

export class Abilities {
  readonly #missing = new Set<Ability>();
  /** Refusals since the last time that it was done. */
  readonly #refusals = new Map<Ability, number>();
  readonly #notes: Notes;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  has(ability: Ability): boolean {
    return !this.#missing.has(ability);
  }

  lacks(ability: Ability): void {
    this.#missing.add(ability);
    this.#notes.warnOnce(ability, WITHOUT[ability]);
  }

  /**
   * Does what may be refused: that is a warning and no failure.
   * @returns whether it was done. @throws what may pass, such as a lost connection.
   */
  async attempt(ability: Ability, path: string, work: () => Promise<void>): Promise<boolean> {
    if (!this.has(ability)) return false;
    try {
      await work();
      this.#refusals.delete(ability);
      return true;
    } catch (error) {
      if (!(error instanceof FtpError) || error.retryable) throw error;
      const refusals = (this.#refusals.get(ability) ?? 0) + 1;
      this.#refusals.set(ability, refusals);
      if (error.code === "UNSUPPORTED" || isUnknown(error) || refusals >= REFUSALS_MOST) this.lacks(ability);
      else this.#notes.warn(`${path}: ${error.message}`);
      return false;
    }
  }
}

/** 500, 501, 502, 504: the server does not know the command, or not with this argument (RFC 959 §4.2.1). */
function isUnknown({ reply }: FtpError): boolean {
  return reply !== undefined && [500, 501, 502, 504].includes(reply.code);
}
