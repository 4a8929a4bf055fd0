/** What can be wrong with a certificate or its key, and the sentences that say so and what to do. */

export type CredentialFault =
  | "missing"
  | "not-a-file"
  | "unreadable"
  | "too-large"
  | "empty"
  | "not-a-certificate"
  | "too-many-certificates"
  | "not-a-key"
  | "encrypted-key"
  | "wrong-passphrase"
  | "key-readable-by-others"
  | "folder-writable-by-others"
  | "weak-key"
  | "weak-signature"
  | "wrong-order"
  | "key-does-not-fit"
  | "expired"
  | "not-yet-valid"
  | "changing"
  | "refused";

export type CredentialProblem = {
  readonly fault: CredentialFault;
  /** The file or folder that has to be mended. */
  readonly file: string;
  /** What is wrong and what to do, without the file's name in front. */
  readonly text: string;
  readonly cause?: unknown;
};

/** For the administrator alone: it names files of the host. The message says what is wrong and what to do. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
  readonly fault: CredentialFault;
  readonly file: string;

  constructor({ fault, file, text, cause }: CredentialProblem) {
    super(`${file}: ${text}`, { cause });
    this.fault = fault;
    this.file = file;
  }
}
