/** `ferryman/account`: the port, its adapters, and the door that asks them. */
export * from "./account.ts";
export { type AnonymousMode, type AnonymousOptions, createAnonymousAccounts } from "./anonymous.ts";
export { type UserChange, UserEditError, addUser, deleteUser, modifyUser, setPassword } from "./edit-users.ts";
export { type FileAccountsOptions, createFileAccounts, readUsers } from "./file.ts";
export { type FixedAccount, createFixedAccounts, parseFixedAccount } from "./fixed.ts";
export { type Login, type LoginOptions, type LoginResult, createLogin } from "./login.ts";
export { NAME_LIMIT, nameProblem } from "./names.ts";
export { ACCOUNT_OPTIONS } from "./options.ts";
export { DEFAULT_COST, type HashCost, type Passwords, type PasswordsOptions, createPasswords } from "./passwords.ts";
export { FileLocked } from "../base/replace-file.ts";
export { PRESETS, type Preset, formatRights, parseRights } from "./rights.ts";
export { type Finding, type User, type UserEntry, type Users } from "./users-toml.ts";
