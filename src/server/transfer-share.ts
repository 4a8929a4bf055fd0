/** What an account may have of transfers: so many at once, at such rates. */
import type { Account } from "../account/account.ts";
import type { Verdict } from "../guard/verdict.ts";
import type { SessionTerms } from "../net/throttles.ts";
import type { Authority } from "./authority.ts";
import type { Settings } from "./context.ts";
import { Refusal } from "./errors.ts";

/** Given back by disposing. At once where nobody else need be asked. @throws {Refusal} 450 when there is none. */
export function takeTransferPlace(
  authority: Authority,
  session: string,
  account: Account | undefined,
): Disposable | Promise<Disposable> {
  if (account === undefined) throw new Error("a transfer without a login");
  const place = (verdict: Verdict): Disposable => {
    if (!verdict.ok) throw new Refusal(450, verdict.text, verdict.rule);
    return { [Symbol.dispose]: () => authority.transferEnds(session, account) };
  };
  const verdict = authority.transferBegins(session, account);
  return verdict instanceof Promise ? verdict.then(place) : place(verdict);
}

/** The rates of a session: its account's, and its own, for which the server's settings are the default. */
export function ratesOf(
  { name, limits }: Account,
  settings: Pick<Settings, "uploadRate" | "downloadRate">,
): SessionTerms {
  return {
    account: name,
    accountRates: { up: limits.uploadRate, down: limits.downloadRate },
    sessionRates: {
      up: limits.sessionUploadRate ?? settings.uploadRate,
      down: limits.sessionDownloadRate ?? settings.downloadRate,
    },
  };
}
