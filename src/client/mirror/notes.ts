/** What a mirror has to say while it goes on: warnings and failures within bounds, and events for whoever listens. */
import type { FtpError } from "../errors.ts";
import { FAILURES_KEPT, WARNINGS_KEPT } from "../limits.ts";
import type { Failure, MirrorEvent } from "./types.ts";

export class Notes {
  readonly warnings: string[] = [];
  readonly failed: Failure[] = [];
  readonly #listener: ((event: MirrorEvent) => void) | undefined;
  readonly #said = new Set<string>();
  readonly #end: (fault: unknown) => void;
  #fault: { readonly error: unknown } | undefined;
  #failures = 0;

  /** @param end is told what the listener threw: that is no failure of a file, and ends the job. */
  constructor(listener: ((event: MirrorEvent) => void) | undefined, end: (fault: unknown) => void) {
    this.#listener = listener;
    this.#end = end;
  }

  /** @throws what the listener threw. */
  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  get failures(): number {
    return this.#failures;
  }

  emit(event: MirrorEvent): void {
    if (this.#listener === undefined || this.#fault !== undefined) return;
    try {
      this.#listener(event);
    } catch (error) {
      this.#fault = { error };
      this.#end(error);
    }
  }

  warn(text: string): void {
    if (this.warnings.length < WARNINGS_KEPT) this.warnings.push(text);
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
