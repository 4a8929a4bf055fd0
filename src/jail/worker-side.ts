/** A worker's end of the channel: asks the broker, hears its notices, answers pings, ends when the broker is gone. */
import type { z } from "zod";
import {
  closeHandle,
  type FromWorker,
  type Handle,
  type NoticeTable,
  type Note,
  RequestError,
  type RequestTable,
  TO_WORKER,
} from "./channel.ts";
import { ANSWER_TIME_MS, LATER_MS, NOTES_AT_ONCE, OUTSTANDING_LIMIT } from "./limits.ts";

/** One function per notice; a handle that it does not keep is the function's to close. */
export type NoticeHandlers<Table extends NoticeTable> = {
  readonly [Name in keyof Table]: (payload: z.output<Table[Name]>, handle: Handle | undefined) => void;
};

export type WorkerSideOptions<Requests extends RequestTable, Notices extends NoticeTable> = {
  readonly requests: Requests;
  readonly notices: Notices;
  readonly onNotice: NoticeHandlers<Notices>;
  /** Take nothing new, finish what runs, then exit. */
  readonly onDrain: () => void;
  /** The broker is gone. Default: the process ends at once. */
  readonly onGone?: () => void;
  readonly answerMs?: number;
};

/** How frames reach the broker; `sent` gets the error if one did not. */
export type BrokerLink = { send(frame: FromWorker, sent: (error: Error | null) => void): void };

export type Answered<Answer> = { readonly answer: Answer; readonly handle: Handle | undefined };

type Waiting = {
  readonly resolve: (answered: Answered<unknown>) => void;
  readonly reject: (error: RequestError) => void;
};

/** The broker is gone: EX_TEMPFAIL of sysexits.h. */
const GONE = 75;

export class WorkerSide<Requests extends RequestTable, Notices extends NoticeTable> {
  readonly #link: BrokerLink;
  readonly #options: WorkerSideOptions<Requests, Notices>;
  readonly #waiting = new Map<number, Waiting>();
  /** Those that wait for the end of the turn, or a little longer. */
  readonly #notes: Note[] = [];
  #endOfTurn: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;
  #lastId = 0;
  #isGone = false;

  constructor(link: BrokerLink, options: WorkerSideOptions<Requests, Notices>) {
    this.#link = link;
    this.#options = options;
  }

  /** From now on the broker may send work. */
  ready(): void {
    this.#send({ t: "ready" });
  }

  /** @throws {RequestError} refused, too late, too many at once, or the broker is gone. */
  async ask<Name extends keyof Requests & string>(
    name: Name,
    payload: z.input<Requests[Name]["ask"]>,
  ): Promise<z.output<Requests[Name]["answer"]>> {
    const { answer, handle } = await this.askForHandle(name, payload);
    closeHandle(handle);
    return answer;
  }

  /** The same for a request whose answer comes with a socket or server, which is the caller's to close. */
  async askForHandle<Name extends keyof Requests & string>(
    name: Name,
    payload: z.input<Requests[Name]["ask"]>,
  ): Promise<Answered<z.output<Requests[Name]["answer"]>>> {
    const schemas: Requests[Name] | undefined = this.#options.requests[name];
    if (schemas === undefined) throw new RequestError("unknown", `there is no request ${name}`);
    // The broker counts what does not fit against this worker: better to hear of it here.
    if (!schemas.ask.safeParse(payload).success) {
      throw new RequestError("malformed", `what is asked by ${name} does not fit its schema`);
    }
    const { answer, handle } = await this.#exchange(name, payload);
    const schema: Requests[Name]["answer"] = schemas.answer;
    const checked = schema.safeParse(answer);
    if (checked.success) return { answer: checked.data, handle };
    closeHandle(handle);
    throw new RequestError("malformed", `the broker's answer to ${name} does not fit its schema`);
  }

  /** The same for what the table's types allow for certain: its schema is not looked at here. */
  async askUnchecked<Name extends keyof Requests & string>(
    name: Name,
    payload: z.output<Requests[Name]["ask"]>,
  ): Promise<void> {
    const { handle } = await this.#exchange(name, payload);
    closeHandle(handle);
  }

  /**
   * A request whose answer nobody waits for: half the messages. Those of one turn go together at its end, and before
   * whatever is asked after them. What does not fit the schema is not sent.
   */
  note<Name extends keyof Requests & string>(name: Name, payload: z.input<Requests[Name]["ask"]>): void {
    if (this.#gather(name, payload)) this.#endOfTurn ??= setImmediate(() => this.#sendNotes());
  }

  /** The same for what the broker need not know at once: it may wait for others until LATER_MS are over. */
  noteLater<Name extends keyof Requests & string>(name: Name, payload: z.input<Requests[Name]["ask"]>): void {
    if (this.#gather(name, payload)) this.#later ??= setTimeout(() => this.#sendNotes(), LATER_MS);
  }

  /** @returns whether it waits to be sent. */
  #gather(name: string, payload: unknown): boolean {
    if (this.#isGone || this.#options.requests[name]?.ask.safeParse(payload).success !== true) return false;
    this.#notes.push({ t: "note", name, payload });
    if (this.#notes.length < NOTES_AT_ONCE) return true;
    this.#sendNotes();
    return false;
  }

  #sendNotes(): void {
    clearImmediate(this.#endOfTurn);
    clearTimeout(this.#later);
    this.#endOfTurn = undefined;
    this.#later = undefined;
    const [first, ...others] = this.#notes.splice(0);
    if (first !== undefined) this.#post(others.length === 0 ? first : { t: "notes", notes: [first, ...others] });
  }

  /** Takes whatever the broker sent. */
  receive(message: unknown, handle?: Handle): void {
    const frame = TO_WORKER.safeParse(message);
    if (!frame.success) return closeHandle(handle);
    const { data } = frame;
    switch (data.t) {
      case "answer":
        return this.#settle(data.id, handle, (waiting) => waiting.resolve({ answer: data.payload, handle }));
      case "refusal":
        return this.#settle(data.id, handle, (waiting) => waiting.reject(new RequestError(data.code, data.text)));
      case "tell":
        return this.#onNotice(data.name, data.payload, handle);
      case "ping":
        return this.#send({ t: "pong", id: data.id });
      case "drain":
        return this.#options.onDrain();
    }
  }

  /** The broker is gone: nothing will be answered any more. */
  gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    for (const { reject } of this.#waiting.values()) reject(goneError());
    this.#waiting.clear();
    if (this.#options.onGone === undefined) process.exit(GONE);
    this.#options.onGone();
  }

  async #exchange(name: string, payload: unknown): Promise<Answered<unknown>> {
    if (this.#isGone) throw goneError();
    if (this.#waiting.size >= OUTSTANDING_LIMIT) {
      throw new RequestError("busy", `${OUTSTANDING_LIMIT} requests are outstanding; try again later`);
    }
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Answered<unknown>>();
    this.#waiting.set(id, { resolve, reject });
    const limit = this.#options.answerMs ?? ANSWER_TIME_MS;
    const timer = setTimeout(() => reject(new RequestError("timeout", `no answer within ${limit} ms`)), limit);
    try {
      this.#send({ t: "ask", id, name, payload });
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  #settle(id: number, handle: Handle | undefined, settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    // It was given up meanwhile.
    if (waiting === undefined) closeHandle(handle);
    else settle(waiting);
  }

  #onNotice(name: string, payload: unknown, handle: Handle | undefined): void {
    const { notices, onNotice } = this.#options;
    const schema = Object.hasOwn(notices, name) ? notices[name] : undefined;
    const checked = schema?.safeParse(payload);
    if (checked?.success !== true) return closeHandle(handle);
    const handlers: object = onNotice;
    const handler: (payload: unknown, handle: Handle | undefined) => void = Reflect.get(handlers, name);
    handler(checked.data, handle);
  }

  /** After the notes that came before it. */
  #send(frame: FromWorker): void {
    this.#sendNotes();
    this.#post(frame);
  }

  #post(frame: FromWorker): void {
    this.#link.send(frame, (error) => {
      if (error !== null) this.gone();
    });
  }
}

function goneError(): RequestError {
  return new RequestError("gone", "the broker is gone");
}

/** For a process that startConfined started. @throws {Error} in one that has no channel. */
export function connectBroker<Requests extends RequestTable, Notices extends NoticeTable>(
  options: WorkerSideOptions<Requests, Notices>,
): WorkerSide<Requests, Notices> {
  if (process.send === undefined) throw new Error("this program is a worker, which a broker starts");
  const side = new WorkerSide(
    { send: (frame, sent) => void process.send?.(frame, undefined, {}, (error) => sent(error)) },
    options,
  );
  process.on("message", (message: unknown, handle: unknown) =>
    side.receive(message, isHandle(handle) ? handle : undefined),
  );
  process.once("disconnect", () => side.gone());
  return side;
}

/** Node gives a socket or a server, or undefined. */
function isHandle(handle: unknown): handle is Handle {
  return typeof handle === "object" && handle !== null;
}
