/** The broker's end of the channel to one worker: checks every message, calls handlers within limits, answers. */
import type { ChildProcess } from "node:child_process";
import type { z } from "zod";
import { faultDetail } from "../base/fault-text.ts";
import { guardChannel } from "./channel-guard.ts";
import {
  closeHandle,
  FROM_WORKER,
  type FromWorker,
  type Handle,
  type NoticeTable,
  type Note,
  refusal,
  RequestError,
  type RequestTable,
  type ToWorker,
  WithHandle,
} from "./channel.ts";
import { HANDLER_TIME_MS, OUTSTANDING_LIMIT, UNREAD_MESSAGES, WRONG_MESSAGES } from "./limits.ts";

/** `signal` aborts when the time is over or the worker is gone. */
export type RequestContext = { readonly signal: AbortSignal };

/** One function per request; it gets what passed the schema of `ask`, and answers what passes that of `answer`. */
export type Handlers<Table extends RequestTable> = {
  readonly [Name in keyof Table]: (
    ask: z.output<Table[Name]["ask"]>,
    context: RequestContext,
  ) => HandlerResult<z.input<Table[Name]["answer"]>>;
};
type HandlerResult<Answer> = Answer | WithHandle<Answer> | Promise<Answer | WithHandle<Answer>>;

/** What is wrong with a worker or a handler, for the log. */
export type ChannelFault = {
  readonly kind: "wrong-message" | "killed" | "handler-failed" | "handler-late";
  readonly text: string;
};

export type BrokerSideOptions<Requests extends RequestTable, Notices extends NoticeTable> = {
  readonly requests: Requests;
  readonly notices: Notices;
  readonly handlers: Handlers<Requests>;
  readonly onFault: (fault: ChannelFault) => void;
  /** Default: those of limits.ts. */
  readonly limits?: Partial<BrokerLimits>;
};
export type BrokerLimits = {
  readonly outstanding: number;
  readonly unread: number;
  readonly wrong: number;
  readonly handlerMs: number;
};

/** How frames reach the worker; `sent` is called when it went out or could not. */
export type WorkerLink = {
  send(frame: ToWorker, handle: Handle | undefined, sent: (fault?: Error | null) => void): void;
  kill(): void;
};

const LIMITS: BrokerLimits = {
  outstanding: OUTSTANDING_LIMIT,
  unread: UNREAD_MESSAGES,
  wrong: WRONG_MESSAGES,
  handlerMs: HANDLER_TIME_MS,
};

type Ask = Extract<FromWorker, { t: "ask" }>;
type Entry = {
  readonly ask: z.ZodType;
  readonly answer: z.ZodType;
  readonly handle: (ask: unknown, context: RequestContext) => unknown;
};

export class BrokerSide<Requests extends RequestTable, Notices extends NoticeTable> {
  readonly #link: WorkerLink;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #notices: Notices;
  readonly #limits: BrokerLimits;
  readonly #onFault: (fault: ChannelFault) => void;
  readonly #gone = new AbortController();
  /** Asks without an answer that went out. */
  #outstanding = 0;
  #unread = 0;
  #wrong = 0;
  /** Numbers only rise: what comes again is a replay. */
  #lastId = 0;

  constructor(link: WorkerLink, options: BrokerSideOptions<Requests, Notices>) {
    this.#link = link;
    this.#notices = options.notices;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#onFault = options.onFault;
    // Typed by name outside; in here each is called with what has just passed its own schema.
    const handlers: object = options.handlers;
    this.#entries = new Map(
      Object.entries(options.requests).map(([name, { ask, answer }]) => {
        const handle: Entry["handle"] = Reflect.get(handlers, name);
        return [name, { ask, answer, handle }];
      }),
    );
  }

  /** Wrong messages so far. */
  get wrongMessages(): number {
    return this.#wrong;
  }

  /** Takes whatever the worker sent. Never throws. @param handle is closed: workers have none to give. */
  receive(message: unknown, handle?: unknown): void {
    if (this.#gone.signal.aborted) return closeHandle(handle);
    if (handle !== undefined && handle !== null) {
      closeHandle(handle);
      return this.#isWrong("it sent a handle");
    }
    const frame = checked(FROM_WORKER, message);
    if (!frame.ok) return this.#isWrong("it is no frame");
    if (frame.value.t === "ask") this.#onAsk(frame.value);
    else if (frame.value.t === "note") this.#onNote(frame.value);
    else if (frame.value.t === "notes") for (const note of frame.value.notes) this.#onNote(note);
  }

  /**
   * Tells the worker something of the closed table.
   * @throws {Error} for a payload that its schema does not allow: a fault of ours.
   */
  tell<Name extends keyof Notices & string>(name: Name, payload: z.input<Notices[Name]>, handle?: Handle): void {
    this.#send(this.#notice(name, payload), handle);
  }

  /**
   * The same with the bare handle of a connection, which stays the caller's.
   * @param sent called when the worker's copy is on its way, and our own may be closed. Never, if the worker is gone by then.
   */
  give<Name extends keyof Notices & string>(
    name: Name,
    payload: z.input<Notices[Name]>,
    { handle, sent }: { readonly handle: Handle; readonly sent: () => void },
  ): void {
    if (this.#gone.signal.aborted) return;
    this.#unread += 1;
    this.#link.send(this.#notice(name, payload), handle, (fault) => {
      this.#unread -= 1;
      if (fault === undefined || fault === null) sent();
    });
  }

  #notice<Name extends keyof Notices & string>(name: Name, payload: z.input<Notices[Name]>): ToWorker {
    const notice = this.#notices[name];
    if (notice === undefined) throw new Error(`no notice is called ${name}`);
    return { t: "tell", name, payload: notice.parse(payload) };
  }

  /** The worker is gone, or shall not be served any longer: running handlers are told by their signal. */
  close(): void {
    this.#gone.abort(new RequestError("gone", "the worker is gone"));
  }

  /** As a request, but for the answer. */
  #onNote({ name, payload }: Note): void {
    // One before it in the same message was one wrong too many.
    if (this.#gone.signal.aborted) return;
    const entry = this.#entries.get(name);
    if (entry === undefined) return this.#isWrong(`it noted ${JSON.stringify(name)}, which there is not`);
    const note = checked(entry.ask, payload);
    if (!note.ok) return this.#isWrong(`its note ${name} does not fit the schema`);
    if (this.#outstanding >= this.#limits.outstanding) {
      return this.#isWrong(`it has more than ${this.#limits.outstanding} requests outstanding`);
    }
    this.#run(entry, { name, payload: note.value });
  }

  #run(entry: Entry, { name, payload }: Omit<Note, "t">): void {
    const failed = (error: unknown): void => {
      if (error instanceof RequestError) return;
      this.#onFault({ kind: "handler-failed", text: `${name}: ${faultDetail(error)}` });
    };
    try {
      const result = entry.handle(payload, new LazyContext(this.#gone.signal));
      // One that is done counts no more: those of one message would be many at once.
      if (result instanceof Promise) void this.#outlast(result).catch(failed);
      else dropHandle(result);
    } catch (error) {
      failed(error);
    }
  }

  async #outlast(result: Promise<unknown>): Promise<void> {
    this.#outstanding += 1;
    try {
      dropHandle(await result);
    } finally {
      this.#outstanding -= 1;
    }
  }

  #onAsk({ id, name, payload }: Ask): void {
    if (id <= this.#lastId) return this.#isWrong(`request ${id} came again`);
    this.#lastId = id;
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      this.#send(refusal(id, "unknown", "there is no such request"));
      return this.#isWrong(`it asked for ${JSON.stringify(name)}, which there is not`);
    }
    const ask = checked(entry.ask, payload);
    if (!ask.ok) {
      this.#send(refusal(id, "malformed", "the request does not fit its schema"));
      return this.#isWrong(`its request ${name} does not fit the schema`);
    }
    if (this.#outstanding >= this.#limits.outstanding) {
      this.#send(refusal(id, "busy", `at most ${this.#limits.outstanding} requests at once`));
      return this.#isWrong(`it has more than ${this.#limits.outstanding} requests outstanding`);
    }
    void this.#answer(entry, { t: "ask", id, name, payload: ask.value });
  }

  /** An ask counts until its handler is through and its answer went out, whichever is later. */
  async #answer(entry: Entry, ask: Ask): Promise<void> {
    this.#outstanding += 1;
    let parts = 2;
    const finish = (): void => {
      if (--parts === 0) this.#outstanding -= 1;
    };
    const context = new LazyContext(this.#gone.signal);
    let isAnswered = false;
    const reply = (frame: ToWorker, handle?: Handle): void => {
      if (isAnswered) return closeHandle(handle);
      isAnswered = true;
      this.#send(frame, handle, finish);
    };
    const timer = setTimeout(() => {
      context.abort(new RequestError("timeout", `the request ${ask.name} took too long`));
      this.#onFault({ kind: "handler-late", text: `${ask.name} took longer than ${this.#limits.handlerMs} ms` });
      reply(refusal(ask.id, "timeout", `no answer within ${this.#limits.handlerMs} ms`));
    }, this.#limits.handlerMs);
    timer.unref();
    try {
      const result = await entry.handle(ask.payload, context);
      const [answer, handle] = result instanceof WithHandle ? [result.answer, result.handle] : [result, undefined];
      reply({ t: "answer", id: ask.id, payload: entry.answer.parse(answer) }, handle);
    } catch (error) {
      reply(this.#failure(ask, error));
    } finally {
      clearTimeout(timer);
      finish();
    }
  }

  /** Only what a handler throws on purpose is told to the worker. */
  #failure({ id, name }: Ask, error: unknown): ToWorker {
    if (error instanceof RequestError) return refusal(id, error.code, error.message);
    this.#onFault({ kind: "handler-failed", text: `${name}: ${faultDetail(error)}` });
    return refusal(id, "failed", "the broker could not do this; its log says why");
  }

  #send(frame: ToWorker, handle?: Handle, sent?: () => void): void {
    if (this.#gone.signal.aborted) {
      closeHandle(handle);
      return sent?.();
    }
    if (this.#unread >= this.#limits.unread) {
      closeHandle(handle);
      sent?.();
      return this.#kill(`it left ${this.#unread} messages unread`);
    }
    this.#unread += 1;
    this.#link.send(frame, handle, () => {
      this.#unread -= 1;
      sent?.();
    });
  }

  #isWrong(text: string): void {
    this.#wrong += 1;
    this.#onFault({ kind: "wrong-message", text });
    if (this.#wrong > this.#limits.wrong) this.#kill(`it sent ${this.#wrong} wrong messages`);
  }

  #kill(text: string): void {
    this.close();
    this.#onFault({ kind: "killed", text });
    this.#link.kill();
  }
}

/** Nobody waits for what a note brings. */
function dropHandle(result: unknown): void {
  if (result instanceof WithHandle) closeHandle(result.handle);
}

/** Most handlers never look at the signal, and one of two sources costs more than the rest of their work. */
class LazyContext implements RequestContext {
  readonly #gone: AbortSignal;
  #late: AbortController | undefined;
  #signal: AbortSignal | undefined;

  constructor(gone: AbortSignal) {
    this.#gone = gone;
  }

  get signal(): AbortSignal {
    this.#late ??= new AbortController();
    this.#signal ??= AbortSignal.any([this.#gone, this.#late.signal]);
    return this.#signal;
  }

  abort(reason: RequestError): void {
    this.#late ??= new AbortController();
    this.#late.abort(reason);
  }
}

type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false };

/** A schema may meet what its writer never thought of: whatever it throws, the message is wrong. */
function checked<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  try {
    const result = schema.safeParse(value);
    return result.success ? { ok: true, value: result.data } : { ok: false };
  } catch {
    return { ok: false };
  }
}

/** Serves a worker that startConfined has started, until it is gone. */
export function serveWorker<Requests extends RequestTable, Notices extends NoticeTable>(
  child: ChildProcess,
  options: BrokerSideOptions<Requests, Notices>,
): BrokerSide<Requests, Notices> {
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  const side = new BrokerSide(
    {
      send: (frame, handle, sent) => {
        // Gone meanwhile: its exit is told elsewhere.
        // Its types do not know of bare handles; Node itself does (node:cluster).
        const send: unknown = Reflect.get(child, "send");
        if (typeof send === "function") Reflect.apply(send, child, [frame, handle, {}, sent]);
      },
      kill,
    },
    options,
  );
  guardChannel(child, (text) => {
    side.close();
    options.onFault({ kind: "killed", text });
    kill();
  });
  child.on("message", (message: unknown, handle: unknown) => side.receive(message, handle));
  child.once("exit", () => side.close()).once("disconnect", () => side.close());
  return side;
}
