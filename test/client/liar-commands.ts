/** What a good server answers to the commands that need no data connection: the truth that the liar bends. */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { MODIFIED, type Tree, factsLine, resolve } from "./liar-tree.ts";

/** What a control connection remembers. */
export type Dialogue = {
  readonly tree: Tree;
  readonly features: readonly string[] | null;
  folder: string;
  restart: number;
  renameFrom: string | undefined;
  /** PROT P. */
  isPrivate: boolean;
};

/** The password that is wrong; any other is right. */
const WRONG_PASSWORD = "wrong";

export const FEATURES = [
  "EPRT",
  "EPSV",
  "HASH SHA-256*",
  "MDTM",
  "MFMT",
  "MLST type*;size*;modify*;",
  "REST STREAM",
  "SIZE",
  "TVFS",
  "UTF8",
] as const;
export const TLS_FEATURES = ["AUTH TLS", "PBSZ", "PROT"] as const;

type Answer = (dialogue: Dialogue, argument: string) => string;

const ok: Answer = () => "200 Done.";

/** Each a reply without its last line end. */
export const ANSWERS: Readonly<Record<string, Answer>> = {
  USER: () => "331 Password, please.",
  PASS: (_dialogue, argument) => (argument === WRONG_PASSWORD ? "530 Name or password is wrong." : "230 Signed in."),
  ACCT: () => "230 Signed in.",
  SYST: () => "215 UNIX Type: L8",
  NOOP: ok,
  TYPE: ok,
  MODE: ok,
  STRU: ok,
  OPTS: ok,
  CLNT: ok,
  SITE: ok,
  ALLO: () => "202 Not needed here.",
  PBSZ: () => "200 PBSZ=0",
  ABOR: () => "226 No transfer runs.",
  STAT: () => "211 All is well.",
  FEAT: ({ features }) =>
    features === null
      ? "500 Unknown command."
      : ["211-Features", ...features.map((each) => ` ${each}`), "211 End"].join("\r\n"),
  PROT(dialogue, argument) {
    dialogue.isPrivate = argument.toUpperCase() === "P";
    return "200 Done.";
  },
  PWD: ({ folder }) => `257 "${folder.replaceAll('"', '""')}" is the folder.`,
  CWD: (dialogue, argument) => enter(dialogue, resolve(dialogue.folder, argument)),
  CDUP: (dialogue) => enter(dialogue, posix.dirname(dialogue.folder)),
  REST(dialogue, argument) {
    dialogue.restart = Number(argument);
    return "350 Go on.";
  },
  SIZE: (dialogue, argument) => withFile(dialogue, argument, (content) => `213 ${content.length}`),
  MDTM: (dialogue, argument) => withFile(dialogue, argument, () => `213 ${MODIFIED}`),
  MFMT: (dialogue, argument) =>
    withFile(dialogue, argument.slice(MODIFIED.length + 1), () => `213 Modify=${argument.slice(0, MODIFIED.length)};`),
  HASH: (dialogue, argument) =>
    withFile(dialogue, argument, (content) => {
      const digest = createHash("sha256").update(content).digest("hex");
      return `213 SHA-256 0-${content.length} ${digest} ${argument}`;
    }),
  MLST(dialogue, argument) {
    const path = resolve(dialogue.folder, argument);
    const content = dialogue.tree.get(path);
    return content === undefined ? MISSING : `250-Facts\r\n ${factsLine(path, content)}\r\n250 End`;
  },
  DELE(dialogue, argument) {
    return withFile(dialogue, argument, () => {
      dialogue.tree.delete(resolve(dialogue.folder, argument));
      return "250 Done.";
    });
  },
  MKD(dialogue, argument) {
    const path = resolve(dialogue.folder, argument);
    if (dialogue.tree.has(path)) return "550 It is there already.";
    dialogue.tree.set(path, null);
    return `257 "${path}" is made.`;
  },
  RMD(dialogue, argument) {
    return dialogue.tree.delete(resolve(dialogue.folder, argument)) ? "250 Done." : MISSING;
  },
  RNFR(dialogue, argument) {
    const path = resolve(dialogue.folder, argument);
    if (!dialogue.tree.has(path)) return MISSING;
    dialogue.renameFrom = path;
    return "350 And the new name?";
  },
  RNTO(dialogue, argument) {
    const from = dialogue.renameFrom;
    const content = from === undefined ? undefined : dialogue.tree.get(from);
    if (from === undefined || content === undefined) return "503 RNFR first.";
    dialogue.tree.delete(from);
    dialogue.tree.set(resolve(dialogue.folder, argument), content);
    return "250 Done.";
  },
};

export const MISSING = "550 No such file.";

function enter(dialogue: Dialogue, path: string): string {
  if (dialogue.tree.get(path) !== null) return MISSING;
  dialogue.folder = path;
  return "250 Done.";
}

function withFile(dialogue: Dialogue, argument: string, answer: (content: Buffer) => string): string {
  const content = dialogue.tree.get(resolve(dialogue.folder, argument));
  return content === undefined || content === null ? MISSING : answer(content);
}
