/** What a mirror has to say while it goes on: warnings and failures within bounds, and events for whoever listens. */
import type { FtpError } from "../errors.ts";
import { FAILURES_KEPT, MIRROR_WARNINGS } from "./limits.ts";
import type { Failure, MirrorEvent } from "./types.ts";

export class Notes {
  readonly warnings: string[] = [];
  readonly failed: Failure[] = [];
  readonly #listener: ((event: MirrorEvent) => void) | undefined;
  readonly #said = new Set<string>();
  #failures = 0;

  constructor(listener: ((event: MirrorEvent) => void) | undefined) {
    this.#listener = listener;
  }

  get failures(): number {
    return this.#failures;
  }

  emit(event: MirrorEvent): void {
    this.#listener?.(event);
  }

  warn(text: string): void {
    if (this.warnings.length < MIRROR_WARNINGS) this.warnings.push(text);
    this.emit({ kind: "warning", text });
  }

  /** A warning that holds for the whole job. @param id is fixed in the source: the set stays small. */
  warnOnce(id: string, text: string): void {
    if (this.#said.has(id)) return;
    this.#said.add(id);
    this.warn(text);
  }

  fail(path: string, error: FtpError): void {
    this.#failures += 1;
    if (this.failed.length < FAILURES_KEPT) this.failed.push({ path, error });
    this.emit({ kind: "failed", path, error });
  }
}
