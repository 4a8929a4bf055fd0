/** Whether what arrived is what was sent: sizes, and digests where the server has them (draft-bryan-ftpext-hash, XSHA256 …). */
import { createReadStream } from "node:fs";
import { DIGEST_NAMES, type DigestName, createDigest } from "../protocol/digest.ts";
import { FtpError } from "./errors.ts";
import type { Hub } from "./hub.ts";
import type { FtpSession } from "./session.ts";
import type { HashResult, OpenFile } from "./types.ts";

/** Older commands, each for one algorithm, best first. */
const OLD_VERBS: readonly (readonly [verb: string, algorithm: DigestName])[] = [
  ["XSHA512", "SHA-512"],
  ["XSHA256", "SHA-256"],
  ["XSHA1", "SHA-1"],
  ["XSHA", "SHA-1"],
  ["XMD5", "MD5"],
  ["XCRC", "CRC32"],
];

export type HashQuestion = {
  readonly algorithm?: DigestName | undefined;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Milliseconds for a digest: a server reads the whole file for it, from a slow disk perhaps. */
const HASH_WAIT_MS = 3_600_000;

/** @returns undefined where the server has no digest that would do. @throws {FtpError} where it refuses this file. */
export async function hashAt(
  path: string,
  question: HashQuestion,
  { session, hub }: { readonly session: FtpSession; readonly hub: Hub },
): Promise<HashResult | undefined> {
  const { algorithm, start, end, signal } = question;
  const offered = hub.info.features.get("HASH");
  if (offered !== undefined && start === undefined && end === undefined) {
    return await byHash(path, { offered, algorithm, signal }, session);
  }
  const found = OLD_VERBS.find(
    ([verb, does]) => hub.info.features.has(verb) && (algorithm === undefined || algorithm === does),
  );
  if (found === undefined) return undefined;
  const [verb, does] = found;
  const range = start === undefined && end === undefined ? "" : ` ${start ?? 0}${end === undefined ? "" : ` ${end}`}`;
  const name = range !== "" || path.includes(" ") ? `"${path}"` : path;
  const reply = await session.send(`${verb} ${name}${range}`, {
    signal,
    ms: HASH_WAIT_MS,
    what: `no digest of ${path}`,
  });
  return resultOf(reply.lines.join(" "), does, path);
}

async function byHash(
  path: string,
  {
    offered,
    algorithm,
    signal,
  }: { offered: string; algorithm: DigestName | undefined; signal: AbortSignal | undefined },
  session: FtpSession,
): Promise<HashResult | undefined> {
  const names = offered.split(";").map((name) => name.trim());
  const current = names.find((name) => name.endsWith("*"))?.slice(0, -1);
  const wanted = algorithm ?? current;
  if (wanted !== undefined && wanted !== current) {
    if (!names.includes(wanted)) return undefined;
    await session.send(`OPTS HASH ${wanted}`, { signal });
  }
  try {
    const reply = await session.send(`HASH ${path}`, { signal, ms: HASH_WAIT_MS, what: `no digest of ${path}` });
    const said = DIGEST_NAMES.find((name) => reply.lines[0]?.startsWith(`${name} `)) ?? algorithmOf(wanted);
    return said === undefined ? undefined : resultOf(reply.lines.join(" ").slice(said.length), said, path);
  } finally {
    if (wanted !== undefined && current !== undefined && wanted !== current && !session.isLost) {
      await session.ask(`OPTS HASH ${current}`);
    }
  }
}

function algorithmOf(name: string | undefined): DigestName | undefined {
  return DIGEST_NAMES.find((known) => known === name);
}

const DIGITS: Readonly<Record<DigestName, number>> = { CRC32: 8, MD5: 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128 };

/** The digits, wherever servers put them; some leave out the zeros at the front of a CRC. */
function resultOf(text: string, algorithm: DigestName, path: string): HashResult {
  const digits = DIGITS[algorithm];
  const pattern =
    algorithm === "CRC32"
      ? /(?<![\da-z])(?:0x)?([\da-f]{1,8})(?![\da-z])/i
      : new RegExp(`(?<![\\da-f])([\\da-f]{${digits}})(?![\\da-f])`, "i");
  const hash = pattern.exec(text.replace(path, ""))?.[1]?.toLowerCase().padStart(digits, "0");
  if (hash === undefined) {
    throw new FtpError("PROTOCOL", `the server's digest of ${path} is none of ${algorithm}`, { phase: "command" });
  }
  return { algorithm, hash };
}

type Hashing = {
  readonly algorithm: DigestName;
  readonly signal: AbortSignal | undefined;
  /** Octets from the beginning; undefined: all. */
  readonly most?: number;
};

/** The same digest of a file here. */
async function hashOfFile(local: string | OpenFile, { algorithm, signal, most }: Hashing): Promise<string> {
  const digest = createDigest(algorithm);
  const isPath = typeof local === "string";
  for await (const chunk of createReadStream(isPath ? local : "", {
    highWaterMark: 1_048_576,
    ...(isPath ? {} : { fd: local.fd, start: 0, autoClose: false }),
    ...(most === undefined ? {} : { start: 0, end: most - 1 }),
    ...(signal === undefined ? {} : { signal }),
  })) {
    if (Buffer.isBuffer(chunk)) digest.update(chunk);
  }
  return digest.hex();
}

/**
 * Before a file is gone on with: whether what the server has of it is its beginning, by the digest of all that is there.
 * @param octets that are there, at least 1.
 * @returns false where the server does not say: it has no digests, or none of a file that is not published yet.
 * @throws {FtpError} MISMATCH.
 */
export async function checkBeginning(
  path: string,
  local: OpenFile,
  {
    octets,
    signal,
    ...asked
  }: {
    readonly octets: number;
    readonly session: FtpSession;
    readonly hub: Hub;
    readonly signal: AbortSignal | undefined;
  },
): Promise<boolean> {
  const theirs = await hashAt(path, { signal }, asked).catch((error: unknown) => {
    if (error instanceof FtpError && error.reply !== undefined) return undefined;
    throw error;
  });
  if (theirs === undefined) return false;
  const ours = await hashOfFile(local, { algorithm: theirs.algorithm, signal, most: octets });
  if (ours === theirs.hash) return true;
  throw new FtpError("MISMATCH", `the ${octets} octets of ${path} at the server are not the beginning of this file`, {
    phase: "command",
    retryable: false,
    hint: "to replace it, put it without resume (-c)",
  });
}

export function sizeMismatch(what: string, wanted: number, found: number): FtpError {
  return new FtpError("MISMATCH", `${what}: ${found} octets are there, and ${wanted} should be`, {
    phase: "finish",
    connection: "data",
    bytes: found,
    hint: "the file may have changed meanwhile, or something between changes what passes (TYPE A, a proxy)",
  });
}

/** @throws MISMATCH. @returns what was compared. */
export async function compareHash(
  remote: string,
  local: string | OpenFile,
  { hub, signal }: { readonly hub: Hub; readonly signal: AbortSignal | undefined },
): Promise<boolean> {
  const theirs = await hub.call(async (session) => await hashAt(remote, { signal }, { session, hub }), { signal });
  if (theirs === undefined) return false;
  const ours = await hashOfFile(local, { algorithm: theirs.algorithm, signal });
  if (ours === theirs.hash) return true;
  throw new FtpError("MISMATCH", `${remote}: ${theirs.algorithm} is ${theirs.hash} at the server and ${ours} here`, {
    phase: "finish",
    connection: "data",
    retryable: false,
  });
}
