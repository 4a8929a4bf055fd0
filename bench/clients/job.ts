/** What a client is asked to do, and what it is told of the server: the words for it are each client's own. */

/** Paths of the server begin with a slash, those of this machine are whole. */
export type Job =
  | { readonly kind: "get"; readonly path: string; readonly to: string; readonly segments?: number }
  | { readonly kind: "put"; readonly from: string; readonly path: string }
  /** All `count` files of a folder, `file-0.bin` and so on, into a folder that is there and empty. */
  | {
      readonly kind: "get-many";
      readonly folder: string;
      readonly count: number;
      readonly to: string;
      readonly connections: number;
    }
  | {
      readonly kind: "put-many";
      readonly from: string;
      readonly count: number;
      readonly folder: string;
      readonly connections: number;
    }
  /** The folder here is like the one there already. */
  | { readonly kind: "mirror"; readonly folder: string; readonly to: string }
  | { readonly kind: "list"; readonly folder: string };

export type Where = {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** TLS by AUTH TLS, with any certificate; else in clear text, even if the server has TLS. */
  readonly secure: boolean;
  /** A folder for files of the client's own, kept through all rounds. */
  readonly state: string;
};

/** A command, or why the client has none for this. */
export type Words = readonly string[] | { readonly missing: string };

export type Rival = {
  /** Of `--only` and of the tables. */
  readonly name: string;
  /** How it is called, for the page. */
  readonly setup: string;
  /** Why it cannot run here, or undefined. May fetch what it needs. */
  readonly absent: () => Promise<string | undefined>;
  readonly version: () => Promise<string>;
  readonly environment?: (where: Where) => Readonly<Record<string, string>>;
  readonly words: (job: Job, where: Where) => Words;
  /** The part of many small files that it is asked for, where all of them would take minutes. */
  readonly share?: (connections: number, secure: boolean) => number;
};

export const HOST = "127.0.0.1";

export function urlOf({ port, user, password }: Where, path: string, scheme = "ftp"): string {
  return `${scheme}://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${HOST}:${port}${path}`;
}
