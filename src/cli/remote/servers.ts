/** Servers that one command goes to: URLs of the same one share a client, and so its connections and one login. */
import type { FtpUrl } from "../../client/url.ts";
import type { RemoteFlags } from "./flags.ts";
import { type Reached, placeOf, reachPlace } from "./reach.ts";

type Open = { readonly reached: Promise<Reached>; users: number };
type Terms = { readonly say: (line: string) => void; readonly signal: AbortSignal };

export class Servers implements AsyncDisposable {
  /** At most `most`, and those in use. */
  readonly #open = new Map<string, Open>();
  readonly #flags: RemoteFlags;
  readonly #terms: Terms;
  readonly #most: number;

  /** @param most servers that are kept open: as many as may be in use at the same time. */
  constructor(flags: RemoteFlags, terms: Terms, most: number) {
    this.#flags = flags;
    this.#terms = terms;
    this.#most = Math.max(most, 1);
  }

  /** @throws {FtpError}, {CliError} where it cannot be reached; what the work throws. */
  async use<T>(text: string, work: (reached: Reached) => Promise<T>): Promise<T> {
    const place = await placeOf(text, this.#flags);
    const { url } = place;
    // A bookmark may say more of the way than its URL.
    const key = JSON.stringify([serverOf(url), place.options, place.passwordCommand]);
    const open = this.#open.get(key) ?? (await this.#begin(key, reachPlace.bind(undefined, place)));
    open.users += 1;
    try {
      const reached = await open.reached.catch((error: unknown) => {
        // The next URL tries anew.
        if (this.#open.get(key) === open) this.#open.delete(key);
        throw error;
      });
      return await work({ ...reached, url, path: url.path });
    } finally {
      open.users -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map(close));
  }

  async #begin(key: string, connect: (flags: RemoteFlags, terms: Terms) => Promise<Reached>): Promise<Open> {
    const idle = [...this.#open].filter(([, { users }]) => users === 0);
    const surplus = idle.slice(0, Math.max(this.#open.size - this.#most + 1, 0));
    for (const [old] of surplus) this.#open.delete(old);
    const open: Open = { reached: connect(this.#flags, this.#terms), users: 0 };
    open.reached.catch(() => {});
    this.#open.set(key, open);
    await Promise.all(surplus.map(async ([, each]) => await close(each)));
    return open;
  }
}

async function close({ reached }: Open): Promise<void> {
  const opened = await reached.catch(() => undefined);
  await opened?.[Symbol.asyncDispose]();
}

/** All of a URL that says where one signs in, and as whom. */
function serverOf({ scheme, user, password, account, fingerprint, host, port }: FtpUrl): readonly unknown[] {
  return [scheme, user, password, account, fingerprint, host, port];
}
