/**
 * Hashes of accounts that come from elsewhere, as crypt(5) writes them: which forms are taken, and with bounds on what
 * one from a file may ask for (attack 38). The sum is the work of the system's libcrypt (`sys/crypt-calls.ts`).
 */
import type { ByteString } from "../base/bytes.ts";
import { loadCryptCalls, whyNoCrypt } from "../sys/crypt-calls.ts";

export type CryptForm = "md5-crypt" | "sha256-crypt" | "sha512-crypt" | "bcrypt" | "yescrypt";
/** What a hash asks for. `cost` is in the unit of its form: rounds, the logarithm of rounds, KiB. */
export type CryptHash = { readonly form: CryptForm; readonly cost: number };

/**
 * Octets of a password that is checked against such a hash: the KEY_MAX of musl's crypt, half of libxcrypt's limit. The
 * time of SHA-crypt grows with the length, and beyond this it would be that of ten ordinary checks.
 */
export const CRYPT_PASSWORD_LIMIT = 256;
/** Passlib's default is 656,000; 0.4 s here. Fewer than 1,000 are no hash: the library itself uses more. */
const ROUNDS = { least: 1_000, most: 1_000_000, without: 5_000 };
/** 0.8 s here; OWASP asks for 10, and 2^4 is the least that there is. */
const BCRYPT_COST = { least: 4, most: 14 };
/** KiB, as for argon2id; Debian's default is 16 MiB, 35 ms here. The least is what crypt_gensalt(3) can ask for. */
const YESCRYPT_MEMORY = { least: 1_024, most: 65_536 };
/** Octets; the longest within the bounds has 150. */
const TEXT_LIMIT = 256;

type Form = {
  readonly name: CryptForm;
  readonly prefix: RegExp;
  /** The whole of it. What it catches is what the cost is made of. */
  readonly whole: RegExp;
  /** NaN where it is out of bounds. */
  readonly cost: (caught: readonly (string | undefined)[]) => number;
  /** For people. */
  readonly text: string;
};

const count = (value: number): string => value.toLocaleString("en");
const within = (value: number, { least, most }: { readonly least: number; readonly most: number }): number =>
  value >= least && value <= most ? value : Number.NaN;
const rounds = ([text]: readonly (string | undefined)[]): number =>
  text === undefined ? ROUNDS.without : within(Number(text), ROUNDS);

/** crypt(5). Of a salt these letters alone, which is what programs make; a salt with another one is refused by some libraries. */
const FORMS: readonly Form[] = [
  {
    name: "md5-crypt",
    prefix: /^\$1\$/,
    whole: /^\$1\$[\w./-]{1,8}\$[A-Za-z\d./]{22}$/,
    cost: () => 1_000,
    text: "$1$SALT$ and 22 characters",
  },
  {
    name: "sha256-crypt",
    prefix: /^\$5\$/,
    whole: /^\$5\$(?:rounds=([1-9]\d{3,6})\$)?[\w./-]{1,16}\$[A-Za-z\d./]{43}$/,
    cost: rounds,
    text: `$5$SALT$ and 43 characters, rounds from ${count(ROUNDS.least)} to ${count(ROUNDS.most)}`,
  },
  {
    name: "sha512-crypt",
    prefix: /^\$6\$/,
    whole: /^\$6\$(?:rounds=([1-9]\d{3,6})\$)?[\w./-]{1,16}\$[A-Za-z\d./]{86}$/,
    cost: rounds,
    text: `$6$SALT$ and 86 characters, rounds from ${count(ROUNDS.least)} to ${count(ROUNDS.most)}`,
  },
  {
    name: "bcrypt",
    // Of the 22nd character two bits count: with others set no library's answer is equal to the hash.
    prefix: /^\$2[aby]\$/,
    whole: /^\$2[aby]\$(\d\d)\$[A-Za-z\d./]{21}[.Oeu][A-Za-z\d./]{31}$/,
    cost: ([text]) => within(Number(text), BCRYPT_COST),
    text: `$2b$COST$ and 53 characters, COST from 04 to ${BCRYPT_COST.most}`,
  },
  {
    name: "yescrypt",
    prefix: /^\$y\$/,
    whole: /^\$y\$j([./\dA-Za-j])([./\dA-Za-j])\$[A-Za-z\d./]{1,86}\$[A-Za-z\d./]{43}$/,
    cost: ([blocks, size]) => within(yescryptMemory(blocks, size), YESCRYPT_MEMORY),
    text: `$y$j… of ${count(YESCRYPT_MEMORY.least)} to ${count(YESCRYPT_MEMORY.most)} KiB, as crypt_gensalt(3) makes them`,
  },
];

/** The forms in words, for messages. */
export const CRYPT_FORMS = "$1$, $5$, $6$, $2a$, $2b$, $2y$ or $y$";

/** @returns undefined for anything else, and for costs beyond the bounds. */
export function parseCryptHash(hash: string): CryptHash | undefined {
  if (hash.length > TEXT_LIMIT) return undefined;
  for (const { name, whole, cost } of FORMS) {
    const found = whole.exec(hash);
    if (found === null) continue;
    const asked = cost(found.slice(1));
    return Number.isNaN(asked) ? undefined : { form: name, cost: asked };
  }
  return undefined;
}

/** What is wrong with a text that should be a hash, where more can be said than which forms there are. Never the text. */
export function oddHash(hash: string): string | undefined {
  if (/^[!*]/.test(hash)) return LOCKED;
  if (/^[./\dA-Za-z]{13}$/.test(hash))
    return `a DES hash, in which 8 characters of a password count, is refused; ${CURE}`;
  if (/^[\da-f]{32,128}$/i.test(hash)) return `a bare digest (MD5, SHA) has no salt and is refused; ${CURE}`;
  const form = FORMS.find(({ prefix }) => prefix.test(hash));
  return form === undefined ? undefined : `expected of ${form.name}: ${form.text}; or ${CURE}`;
}

const CURE = "set a new password with: ferryman user passwd";
const LOCKED =
  'begins with "!" or "*", by which others lock an account; take it away and write disabled = true, where a hash follows';

/** Numbers of the one-character range of yescrypt's own writing of its parameters, 1 being the least of both. */
function yescryptMemory(blocks = "", size = ""): number {
  const [logarithm, r] = [blocks, size].map((letter) => ITOA64.indexOf(letter) + 1);
  return (128 * (r ?? 0) * 2 ** (logarithm ?? 0)) / 1_024;
}

const ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Whether a check makes sense: C ends at NUL, and would check a part of it. */
export function isCryptPassword(password: ByteString): boolean {
  return password.length <= CRYPT_PASSWORD_LIMIT && !password.includes("\0");
}

/** What a library must answer for "ferryman", to be trusted with a form; each at its least cost. */
const KNOWN_ANSWERS: Readonly<Record<CryptForm, string>> = {
  "md5-crypt": "$1$ferryman$yPMe6qLRm/gPfsKPDlgh0/",
  "sha256-crypt": "$5$rounds=1000$ferryman$93vwCFcWefoskoBCHQ8n1yRM40mUV7akKQkfne5AlP.",
  "sha512-crypt":
    "$6$rounds=1000$ferryman$z5sU.lGk.WzhLLbWcoq1it40vtDBd5llFLlu4VqTAGuMGw0ncpoS/fn1WQEZ1WSG0FFyHuSU9M1DawX6ihz1v1",
  bcrypt: "$2b$04$ferrymanferrymanferryuwd.ROygRBSQMEPYRtaNcCLS08snEIRq",
  yescrypt: "$y$j75$ferryman$Rmf41vzHNiyyqg74yVYsuTI0ovroH4xQ5m150Fks3c.",
};

const trusted = new Map<CryptForm, boolean>();

/**
 * Why hashes of this form cannot be checked here, or undefined. The library is asked once: one that is old knows no
 * yescrypt, and musl's knows none, which would else look like a wrong password for ever.
 */
export async function cryptHindrance(form: CryptForm): Promise<string | undefined> {
  const calls = loadCryptCalls();
  if (calls === undefined) return whyNoCrypt();
  const answer = KNOWN_ANSWERS[form];
  const works = trusted.get(form) ?? (await calls.crypt(Buffer.from("ferryman"), answer)) === answer;
  trusted.set(form, works);
  return works ? undefined : `the libcrypt of this system does not know ${form}`;
}
