/** Which hashes an account may have, what is wrong with others, and what people should know of those that it has. */
import { CRYPT_FORMS, type CryptForm, cryptHindrance, oddHash, parseCryptHash } from "./crypt-hashes.ts";
import { GREATEST_COST, parseArgon2id } from "./passwords.ts";

export type HashForm = "argon2id" | CryptForm;

/** What a hash is expected to be, when nothing better can be said of what stands there. */
export const HASH_FORM = `expected a hash "$argon2id$v=19$m=…,t=…,p=…$…$…" of at most m=${GREATEST_COST.memory}, t=${GREATEST_COST.passes}, p=${GREATEST_COST.lanes}, or one of crypt(5) that begins with ${CRYPT_FORMS}; make one with: ferryman user passwd`;

/** @returns undefined for what is no hash, or one that asks for too much. */
export function hashForm(hash: string): HashForm | undefined {
  return parseArgon2id(hash) === undefined ? parseCryptHash(hash)?.form : "argon2id";
}

/** What is wrong with a text that should be a hash, and what to do. The text is not in it. */
export function hashProblem(hash: string): string | undefined {
  return hashForm(hash) === undefined ? (oddHash(hash) ?? HASH_FORM) : undefined;
}

/** Names in one sentence, with the number of the others. */
const NAMES_SHOWN = 5;

export type Named = { readonly name: string; readonly password: string };

/**
 * Sentences about accounts whose hash cannot be checked on this system, or is found by trying: one for each form, since
 * who moves a thousand accounts has them all alike.
 */
export async function hashNotes(users: readonly Named[]): Promise<readonly string[]> {
  const byForm = new Map<CryptForm, string[]>();
  for (const { name, password } of users) {
    const form = parseCryptHash(password)?.form;
    if (form === undefined) continue;
    const names = byForm.get(form);
    if (names === undefined) byForm.set(form, [name]);
    else names.push(name);
  }
  const notes: string[] = [];
  for (const [form, names] of byForm) {
    const hindrance = await cryptHindrance(form);
    if (hindrance !== undefined) notes.push(cannot(names, `${form} cannot be checked: ${hindrance}`));
    if (form === "md5-crypt") notes.push(weak(names));
  }
  return notes;
}

function cannot(names: readonly string[], why: string): string {
  return `${whose(names)} cannot sign in: ${why}. Cure that, or ${newPassword(names)}`;
}

function weak(names: readonly string[]): string {
  return `The password of ${inShort(names)} is kept as MD5 ($1$): who gets hold of the users file finds it by trying. Better ${newPassword(names)}`;
}

function whose(names: readonly string[]): string {
  return `${names.length === 1 ? "The account" : "Accounts"} ${inShort(names)}`;
}

function inShort(names: readonly string[]): string {
  const others = names.length - NAMES_SHOWN;
  return `${names.slice(0, NAMES_SHOWN).join(", ")}${others > 0 ? ` and ${others} more` : ""}`;
}

function newPassword([name, ...others]: readonly string[]): string {
  return `set a new password with: ferryman user passwd ${others.length === 0 ? name : "NAME"}`;
}
