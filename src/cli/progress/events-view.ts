/**
 * Transfers for programs: one JSON document in each line, on standard output. The names below stay as they are; what is
 * new comes as further members, and anything else raises `v`.
 */
import { type FailureFacts, failureFacts } from "../remote/failure-facts.ts";
import {
  type BoardStream,
  type NotedFailure,
  type Tally,
  type TransferEnd,
  type TransferFile,
  type View,
  lasted,
} from "./tally.ts";

/** Milliseconds between two events of one file. */
const EVENT_MS = 1_000;

export type TransferEvent = {
  readonly v: 1;
  /**
   * "start", "progress" once a second, then "done" or "failed" for each file; "note" for what a person would be told. A
   * "failed" without `id` is of something that was no transfer yet.
   */
  readonly event: "start" | "progress" | "done" | "failed" | "note";
  /** Tells transfers of a run apart. */
  readonly id?: number;
  readonly name?: string;
  /** Octets of this call. */
  readonly bytes?: number;
  /** Octets of the whole file, null where it is not known. */
  readonly total?: number | null;
  readonly resumedAt?: number;
  /** Milliseconds since the start. */
  readonly ms?: number;
  /** What it is, without a password. */
  readonly url?: string;
  /** Why it failed, or why nothing had to be moved. */
  readonly message?: string;
} & Partial<FailureFacts>;

export class EventsView implements View {
  readonly everyMs = EVENT_MS;
  readonly #tally: Tally;
  readonly #stream: BoardStream;

  constructor(tally: Tally, stream: BoardStream) {
    this.#tally = tally;
    this.#stream = stream;
  }

  begun(file: TransferFile): void {
    const { id, name, resumedAt } = file;
    this.#say({ v: 1, event: "start", id, name, ...urlOf(file), total: file.total ?? null, resumedAt });
  }

  ended(file: TransferFile, { problem, error, note }: TransferEnd): void {
    const ms = Math.round(lasted(file));
    if (problem !== undefined) {
      const facts = error === undefined ? { message: problem } : failureFacts(error);
      this.#say({ v: 1, event: "failed", ...figures(file), ...urlOf(file), ms, ...facts });
    } else this.#say({ v: 1, event: "done", ...figures(file), ms, ...(note === undefined ? {} : { message: note }) });
  }

  tick(): void {
    const now = this.#tally.now();
    for (const file of this.#tally.active) {
      this.#say({ v: 1, event: "progress", ...figures(file), ms: Math.round(now - file.startedAt) });
    }
  }

  note(message: string, failure?: NotedFailure): void {
    if (failure === undefined) this.#say({ v: 1, event: "note", message });
    else {
      const { name, facts } = failure;
      this.#say({
        v: 1,
        event: "failed",
        ...(name === undefined ? {} : { name }),
        ...urlOf(failure),
        ...facts,
      });
    }
  }

  close(): void {}

  #say(event: TransferEvent): void {
    this.#stream.write(`${JSON.stringify(event)}\n`);
  }
}

function urlOf({ url }: { readonly url?: string | undefined }): { url?: string } {
  return url === undefined ? {} : { url };
}

function figures({ id, name, bytes, total, resumedAt }: TransferFile): Omit<TransferEvent, "v" | "event"> {
  return { id, name, bytes, total: total ?? null, resumedAt };
}
