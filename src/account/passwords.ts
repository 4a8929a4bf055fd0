/**
 * Passwords as argon2id hashes in PHC form, made and checked in libuv's threads: never on the event loop, few at once,
 * and with bounds on what a hash from a file may ask for (attack 38). Hashes that come from elsewhere (`crypt-hashes.ts`)
 * are checked in the same way, and never made.
 */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { type ByteString, bytesOfText, octetsOf } from "../base/bytes.ts";
import { loadCryptCalls, whyNoCrypt } from "../sys/crypt-calls.ts";
import { AccountError, AccountsBusy } from "./account.ts";
import { type CryptHash, isCryptPassword, parseCryptHash } from "./crypt-hashes.ts";
import { Decoys } from "./decoys.ts";
import { Turns } from "../base/turns.ts";

/** The cost of one argon2id hash (RFC 9106 §3.1). */
export type HashCost = {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  /** Degree of parallelism. */
  readonly lanes: number;
};

/**
 * OWASP's Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane is as strong as its larger choices. The second one
 * that RFC 9106 §4 recommends takes 64 MiB and twice the time, for each login (attack 38).
 */
export const DEFAULT_COST: HashCost = { memory: 19_456, passes: 2, lanes: 1 };
/** What a hash from a file may ask for: RFC 9106 §4's second recommendation, with room in the passes. About 0.4 s each. */
export const GREATEST_COST: HashCost = { memory: 65_536, passes: 10, lanes: 4 };
/** Octets of a new salt and of a new hash (RFC 9106 §3.1 and §4: 128 and 256 bits). */
const SALT_OCTETS = 16;
const TAG_OCTETS = 32;
/** Octets of salts and hashes that are accepted: the least that node:crypto takes, and 128 bits against guessing. */
const SALT_BOUNDS = { least: 8, most: 64 };
const TAG_BOUNDS = { least: 16, most: 64 };
/** Octets; no hash within the bounds is as long. */
const HASH_TEXT_LIMIT = 512;
/** Octets. Longer than any sentence that people type; the line limit of the control connection is near it too. */
export const PASSWORD_LIMIT = 1_024;
/** Checks at once: half of libuv's 4 threads, so that files are served meanwhile; 2 × 64 MiB at the very most. */
export const CHECKS_AT_ONCE = 2;
/** Checks that wait. At 45 ms each and 2 at once the last of them is served after 1.5 s; attack 38 asks for 50. */
export const CHECKS_WAITING = 64;

/** Hashed where there is no password to check; which one makes no difference to the time. */
const NOTHING = bytesOfText("");

/** Makes and checks hashes. One object for all stores of a process, or the bounds hold for each apart. */
export interface Passwords {
  /** @returns a hash in PHC form for a users file. @throws {AccountsBusy} */
  hash(password: ByteString): Promise<string>;
  /**
   * Whether `password` belongs to `hash`. An empty or malformed hash has no password (attack 39).
   * Either way it takes the time of one check.
   * @throws {AccountsBusy} @throws {AccountError} where the system has no crypt(3) and the hash needs it.
   */
  verify(hash: string, password: ByteString): Promise<boolean>;
  /**
   * Takes the time of one check, for names that do not exist (attack 36): of a check of a hash as accounts have them, and
   * always the same for a name. @throws {AccountsBusy}
   */
  verifyAgainstNothing(password: ByteString, name?: ByteString): Promise<void>;
  /** A store says which hashes its accounts have, at first and after each change, so that checks against nothing resemble theirs. */
  resemble(source: string, hashes: readonly string[]): void;
}

export type PasswordsOptions = {
  /** Of new hashes, and of checks against nothing where no store has said which hashes it has. */
  readonly cost?: HashCost;
  readonly atOnce?: number;
  readonly waiting?: number;
};

export function createPasswords(options: PasswordsOptions = {}): Passwords {
  const { cost = DEFAULT_COST, atOnce = CHECKS_AT_ONCE, waiting = CHECKS_WAITING } = options;
  const turns = new Turns({ atOnce, waiting });
  const decoys = new Decoys(kindOf);
  const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = turns.run(work);
    if (turn === undefined) throw new AccountsBusy(`${atOnce} password checks run and ${waiting} wait already`);
    return await turn;
  };
  const derive = async (password: ByteString, how: Derivation): Promise<Buffer> =>
    await inTurn(async () => await argon2id(octetsOf(password), how));
  const newDerivation = (): Derivation => ({ cost, salt: randomBytes(SALT_OCTETS), tagLength: TAG_OCTETS });
  const verifyArgon2id = async (hash: string, password: ByteString): Promise<boolean> => {
    const known = parseArgon2id(hash);
    const right = known !== undefined && password.length <= PASSWORD_LIMIT;
    const how = right ? { ...known, tagLength: known.tag.length } : newDerivation();
    const tag = await derive(right ? password : NOTHING, how);
    return right && timingSafeEqual(tag, known.tag);
  };
  const verify = async (hash: string, password: ByteString): Promise<boolean> => {
    const imported = parseCryptHash(hash);
    if (imported === undefined) return await verifyArgon2id(hash, password);
    return await inTurn(async () => await isCryptOf(hash, { password, imported }));
  };
  return {
    async hash(password) {
      const how = newDerivation();
      return formatArgon2id({ cost, salt: how.salt, tag: await derive(password, how) });
    },
    verify,
    async verifyAgainstNothing(password, name = NOTHING) {
      // Whether it is right makes no difference: the name is nobody's. The empty text is no hash, and takes the time of one.
      await verify(decoys.of(name) ?? "", password);
    },
    resemble: (source, hashes) => decoys.resemble(source, hashes),
  };
}

/** The same for hashes that take the same time. @returns undefined for those that cannot be checked here. */
function kindOf(hash: string): string | undefined {
  const imported = parseCryptHash(hash);
  if (imported !== undefined) return loadCryptCalls() === undefined ? undefined : `${imported.form} ${imported.cost}`;
  const known = parseArgon2id(hash);
  return known === undefined ? undefined : `argon2id ${Object.values(known.cost).join(" ")}`;
}

type Imported = { readonly password: ByteString; readonly imported: CryptHash };

/** What cannot be the password is not checked, which takes the same time. @throws {AccountError} */
async function isCryptOf(hash: string, { password, imported }: Imported): Promise<boolean> {
  const calls = loadCryptCalls();
  if (calls === undefined) throw new AccountError(`${imported.form} cannot be checked: ${whyNoCrypt()}`);
  const right = isCryptPassword(password);
  const found = await calls.crypt(octetsOf(right ? password : NOTHING), hash);
  if (found === undefined) return false;
  const [one, other] = [Buffer.from(found), Buffer.from(hash)];
  // Their lengths are no secret: each form has one.
  return right && one.length === other.length && timingSafeEqual(one, other);
}

/** Shared by all stores that are not given another: the bounds are those of the process. */
export const PASSWORDS: Passwords = createPasswords();

/** What a hash holds. */
export type Argon2id = { readonly cost: HashCost; readonly salt: Buffer; readonly tag: Buffer };

/**
 * Reads `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (the PHC string format; base64 without padding).
 * @returns undefined for anything else, and for costs beyond GREATEST_COST.
 */
export function parseArgon2id(hash: string): Argon2id | undefined {
  if (hash.length > HASH_TEXT_LIMIT) return undefined;
  const [, memory, passes, lanes, saltText = "", tagText = ""] = PHC.exec(hash) ?? [];
  const cost = { memory: Number(memory), passes: Number(passes), lanes: Number(lanes) };
  const [salt, tag] = [fromBase64(saltText), fromBase64(tagText)];
  if (!isAllowed(cost) || !isWithin(salt, SALT_BOUNDS) || !isWithin(tag, TAG_BOUNDS)) return undefined;
  return { cost, salt, tag };
}

const PHC = /^\$argon2id\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,7})\$([A-Za-z\d+/]+)\$([A-Za-z\d+/]+)$/;

/** Also false for NaN. RFC 9106 §3.1: at least 8 KiB for each lane. */
function isAllowed({ memory, passes, lanes }: HashCost): boolean {
  const { memory: mostMemory, passes: mostPasses, lanes: mostLanes } = GREATEST_COST;
  return memory <= mostMemory && passes <= mostPasses && lanes <= mostLanes && memory >= 8 * lanes;
}

function isWithin(octets: Buffer | undefined, bounds: { least: number; most: number }): octets is Buffer {
  return octets !== undefined && octets.length >= bounds.least && octets.length <= bounds.most;
}

function formatArgon2id({ cost: { memory, passes, lanes }, salt, tag }: Argon2id): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${toBase64(salt)}$${toBase64(tag)}`;
}

function toBase64(octets: Buffer): string {
  return octets.toString("base64").replace(/=+$/, "");
}

/** Node skips what is no base64; here it must be exactly what `toBase64` writes. */
function fromBase64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, "base64");
  return toBase64(octets) === text ? octets : undefined;
}

type Derivation = { readonly cost: HashCost; readonly salt: Buffer; readonly tagLength: number };

async function argon2id(message: Buffer, how: Derivation): Promise<Buffer> {
  const { memory, passes, lanes } = how.cost;
  const parameters = { message, nonce: how.salt, parallelism: lanes, tagLength: how.tagLength, memory, passes };
  return await new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (error, tag) => {
      if (error === null) resolve(tag);
      else reject(error);
    });
  });
}
