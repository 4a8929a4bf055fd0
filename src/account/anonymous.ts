/** Guests: the names that RFC 1635 gives them, any password, and no more rights than to take or to leave files. */
import { type Account, type AccountStore, AccountError, type Right } from "./account.ts";
import { isGuestName } from "./names.ts";
import { PRESETS } from "./rights.ts";

/** "read": list and fetch. "drop": leave new files, unseen and untouchable afterwards. "off": no guests. */
export type AnonymousMode = "off" | "read" | "drop";

export type AnonymousOptions = {
  /** The folder of the host that guests see: absolute. */
  readonly home: string;
  readonly mode: AnonymousMode;
  /** Rights on top of the mode's, such as "mkdir" in a drop box: each is for the admin to give (features.md B1). */
  readonly also?: readonly Right[];
};

/** Accepts "anonymous" and "ftp" in any case (RFC 1635 §2); the password, by custom an e-mail address, is not looked at. */
export function createAnonymousAccounts({ home, mode, also = [] }: AnonymousOptions): AccountStore {
  if (mode === "off") return { name: "anonymous", authenticate: async () => ({ kind: "unknown" }) };
  if (home === "") throw new AccountError("anonymous access needs a folder");
  const account: Account = {
    name: "anonymous",
    anonymous: true,
    home,
    rights: new Set<Right>([...PRESETS[mode], ...also]),
    folders: [],
    limits: {},
  };
  return {
    name: "anonymous",
    guest: account,
    authenticate: async ({ name }) => (isGuestName(name) ? { kind: "accepted", account } : { kind: "unknown" }),
  };
}
