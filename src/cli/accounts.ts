/** Who may come in to `ferryman serve`: the stores in the order in which they are asked, and the same for the first screen. */
import { type Account, type AccountStore, type Right, type Rights, RIGHTS } from "../account/account.ts";
import type { Configuration } from "../config/sections.ts";
import { CliError, EXIT } from "./exit.ts";
import { FlagUsers, parseFlagUser } from "./flag-user.ts";
import type { Access } from "./start-screen.ts";

export type ServedAccounts = { readonly stores: readonly AccountStore[]; readonly access: readonly Access[] };

/** Names by which a guest signs in (RFC 1635); the password is not looked at. */
const GUEST_NAMES: ReadonlySet<string> = new Set(["anonymous", "ftp"]);
const GUEST_RIGHTS: Readonly<Record<"read" | "drop", readonly Right[]>> = {
  read: ["list", "read"],
  drop: ["write"],
};

/** @param folder the served one: home of guests and of users without their own. @throws {CliError} */
export async function accountsOf(serve: Configuration["serve"], folder: string): Promise<ServedAccounts> {
  if (serve.users !== undefined) {
    throw new CliError("--users: the store for users files is not connected yet", EXIT.configuration);
  }
  const users = serve.user.map((text) => parseFlagUser(text, folder));
  const mode = serve.anonymous ?? (users.length > 0 ? "off" : "read");
  const guest = mode === "off" ? undefined : guestAccount(mode, folder);
  return {
    stores: [...(users.length > 0 ? [new FlagUsers(users)] : []), ...(guest === undefined ? [] : [guestStore(guest)])],
    access: [...(guest === undefined ? [] : [guest]), ...users.map(({ account }) => account)].map(accessOf),
  };
}

function guestAccount(mode: "read" | "drop", home: string): Account {
  return { name: "anonymous", anonymous: true, home, rights: new Set(GUEST_RIGHTS[mode]), folders: [], limits: {} };
}

function guestStore(account: Account): AccountStore {
  return {
    name: "anonymous",
    async authenticate({ name }) {
      return GUEST_NAMES.has(name.toLowerCase()) ? { kind: "accepted", account } : { kind: "unknown" };
    },
  };
}

function accessOf({ name, rights, home }: Account): Access {
  return { who: name, may: rightsInWords(rights), folder: home };
}

function rightsInWords(rights: Rights): string {
  if (rights.size === 0) return "nothing";
  return rights.size === RIGHTS.length ? "everything" : RIGHTS.filter((right) => rights.has(right)).join(", ");
}
