/**
 * Which replies may answer which command: RFC 959 §5.4 as a table, with RFC 1123 §4.1.2, RFC 2228 §8.2, RFC 2389, RFC 2428,
 * RFC 2640, RFC 3659, RFC 4217, RFC 7151 and the drafts of MFMT, HASH and RANG, and wider where servers of today are.
 * Tests hold the server to it, and a client may tell a peer out of step by it.
 */

export type ReplySequence = {
  /** Replies of class 1 that may come first. */
  readonly preliminary: readonly number[];
  /** Replies that end the command, those that ask for a next one (3yz) among them. */
  readonly final: readonly number[];
};

/** In the place of a verb: what a server says first (RFC 959 §5.4, Connection Establishment). */
export const GREETING = "(greeting)";

/** What may answer any command at all: unknown, malformed, not offered, out of order, not for this user, going away. */
const ANYTIME = [421, 500, 501, 502, 503, 504, 530, 533, 534] as const;
/** What may answer any command that names a file: also out of space, over quota, a bad name, a fault of ours. */
const FILE = [450, 451, 452, 532, 550, 552, 553] as const;

/** What may end a transfer after 125 or 150, or come instead of these. 425 and 522 as the data connection failed. */
const TRANSFER = [226, 250, 425, 426, 434, 522, 521, 551, 554, 555, ...FILE] as const;

function sequence(...final: readonly number[]): ReplySequence {
  return { preliminary: [], final: [...final, ...ANYTIME] };
}

function onFile(...final: readonly number[]): ReplySequence {
  return sequence(...final, ...FILE);
}

/** 110 tells of restart markers (RFC 959 §3.5), as often as they come. */
const transfer: ReplySequence = { preliminary: [110, 125, 150], final: [...TRANSFER, ...ANYTIME] };
const digest = onFile(213, 250, 556);
const path = onFile(250);
const login = sequence(202, 230, 232, 332, 430, 431);

const SEQUENCES: Readonly<Record<string, ReplySequence>> = {
  [GREETING]: { preliminary: [120], final: [220, 421, 500, 530] },
  USER: sequence(230, 232, 331, 332, 336, 430, 431),
  PASS: login,
  ACCT: login,
  // RFC 959 has 250 for CWD and 200 for CDUP, and shows 250 for it in its own appendix; both are met.
  CWD: onFile(200, 250),
  XCWD: onFile(200, 250),
  CDUP: onFile(200, 250),
  XCUP: onFile(200, 250),
  SMNT: onFile(202, 250),
  REIN: { preliminary: [120], final: [220, ...ANYTIME] },
  QUIT: sequence(221),
  PORT: sequence(200, 425),
  EPRT: sequence(200, 425, 522),
  LPRT: sequence(200, 425, 521),
  PASV: sequence(227, 425, 451),
  EPSV: sequence(200, 229, 425, 451, 522),
  LPSV: sequence(228, 425, 451, 521),
  MODE: sequence(200),
  TYPE: sequence(200),
  STRU: sequence(200),
  ALLO: sequence(200, 202, 451, 452, 552),
  REST: sequence(350, 451, 554),
  RANG: sequence(350, 551),
  RETR: transfer,
  STOR: transfer,
  STOU: transfer,
  APPE: transfer,
  LIST: transfer,
  NLST: transfer,
  MLSD: transfer,
  MLST: path,
  RNFR: onFile(350),
  RNTO: path,
  DELE: path,
  RMD: path,
  XRMD: path,
  RMDA: path,
  // 521: the folder is there already (RFC 959 Appendix II).
  MKD: onFile(257, 521),
  XMKD: onFile(257, 521),
  PWD: onFile(257),
  XPWD: onFile(257),
  ABOR: sequence(225, 226, 426),
  SYST: sequence(215),
  STAT: onFile(211, 212, 213),
  HELP: sequence(211, 214),
  SITE: onFile(200, 202, 211, 213, 214, 250, 257, 350),
  NOOP: sequence(200),
  FEAT: sequence(211),
  OPTS: sequence(200, 202, 451),
  LANG: sequence(200),
  HOST: sequence(220),
  CLNT: sequence(200),
  CSID: sequence(200),
  SIZE: onFile(213),
  // Some servers set the time by MDTM with two arguments, and say so with 253.
  MDTM: onFile(200, 213, 253),
  MFMT: onFile(213),
  MFCT: onFile(213),
  MFF: onFile(213),
  AVBL: onFile(213),
  DSIZ: onFile(213),
  COMB: path,
  HASH: digest,
  XCRC: digest,
  XMD5: digest,
  XSHA: digest,
  XSHA1: digest,
  XSHA256: digest,
  XSHA512: digest,
  // Older drafts' codes: 251 and 252 for the digest of one file and of several.
  MD5: onFile(213, 251),
  MMD5: onFile(213, 252),
  AUTH: sequence(232, 234, 334, 336, 431),
  ADAT: sequence(235, 335, 535),
  PBSZ: sequence(200),
  PROT: sequence(200, 431, 536),
  CCC: sequence(200),
  MIC: sequence(535, 536, 537),
  CONF: sequence(535, 536, 537),
  ENC: sequence(535, 536, 537),
};

/** Of a verb that the table does not hold: never a success. */
const UNKNOWN: ReplySequence = sequence();

/** @param verb in upper case, or GREETING. */
export function replySequence(verb: string): ReplySequence {
  return (Object.hasOwn(SEQUENCES, verb) ? SEQUENCES[verb] : undefined) ?? UNKNOWN;
}

/**
 * Whether `next` may be sent for `verb` after `codesSoFar` for the same command.
 *
 * One final reply ends a command. 120, 125 and 150 come once; 110 comes after them and again. A transfer succeeds only
 * after 125 or 150, and once these are out a client waits for data: the command can no more be unknown or malformed.
 */
export function mayReply(verb: string, codesSoFar: readonly number[], next: number): boolean {
  const { preliminary, final } = replySequence(verb);
  if (codesSoFar.some((code) => code >= 200)) return false;
  const started = codesSoFar.length > 0;
  if (next < 200) return preliminary.includes(next) && (next === 110 ? started : !started);
  if (!final.includes(next)) return false;
  if (started) return next < 500 || !isAnytime(next);
  return next >= 300 || !preliminary.includes(150);
}

function isAnytime(code: number): boolean {
  return ANYTIME.some((each) => each === code);
}
