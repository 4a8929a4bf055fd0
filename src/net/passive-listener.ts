/** One open passive port: by bare descriptors where the native path runs, by Node's servers elsewhere. */
import { createServer } from "node:net";
import { type DataCalls, DataCallError } from "../sys/data-calls.ts";
import type { Endpoint } from "./addresses.ts";
import { type DataEnd, DescriptorEnd, SocketEnd } from "./data-end.ts";
import { DATA_BACKLOG, EXHAUSTED_REST_MS, UNSENT_LOW } from "./limits.ts";

export interface PassiveListener {
  readonly port: number;
  /** Hands on, now, what has connected, up to the first that is wanted. */
  look(): void;
  /** From now on hands on by itself whatever connects. Node's servers always do. */
  listen(): void;
  /** From now on only `look` hands on: the event loop is not woken for what the next command asks for anyway. */
  rest(): void;
  close(): void;
}

export type ListenerTerms = {
  /** Of the native path; undefined: Node's. */
  readonly calls: DataCalls | undefined;
  readonly congestionControl?: string | undefined;
  /** @returns whether it was wanted. */
  readonly onConnection: (end: DataEnd) => boolean;
};

/**
 * One that rests until `listen` is called.
 * @param endpoint our own address and a port. @returns undefined: the port is taken, or not ours to open.
 */
export async function openPassive(endpoint: Endpoint, terms: ListenerTerms): Promise<PassiveListener | undefined> {
  // A zone of a link-local address needs the system's names of interfaces: Node knows them.
  if (terms.calls === undefined || endpoint.address.includes("%")) return openWithNode(endpoint, terms);
  return openByDescriptor(endpoint, { ...terms, calls: terms.calls });
}

function openByDescriptor(
  { address, port }: Endpoint,
  { calls, congestionControl, onConnection }: ListenerTerms & { readonly calls: DataCalls },
): PassiveListener | undefined {
  let descriptor: number;
  try {
    descriptor = calls.listen(address, port, { backlog: DATA_BACKLOG, unsentLow: UNSENT_LOW, congestionControl });
  } catch (error) {
    if (error instanceof DataCallError) return undefined;
    throw error;
  }
  const watch = calls.watch(descriptor);
  let open = true;
  let listening = false;
  let recovery: NodeJS.Timeout | undefined;
  /** @returns whether to look for another one: there was one, and nobody wanted it. */
  const acceptOne = (): boolean => {
    const accepted = open ? calls.accept(descriptor) : undefined;
    if (accepted === "exhausted") pause();
    if (accepted === undefined || accepted === "exhausted") return false;
    return !onConnection(new DescriptorEnd(accepted.descriptor, accepted.remote, calls));
  };
  // One a turn: as a rule there is no second, and asking for it costs as much as taking the first.
  const start = (): void => {
    if (listening && recovery === undefined) watch.always("readable", acceptOne);
  };
  /** Whoever waits goes on waiting; told of him in every turn of the loop we would do nothing else. */
  const pause = (): void => {
    if (recovery !== undefined) return;
    watch.stop();
    recovery = setTimeout(() => {
      recovery = undefined;
      start();
    }, EXHAUSTED_REST_MS);
  };
  const look = (): void => {
    // The backlog holds no more of them.
    for (let count = 0; count < DATA_BACKLOG; count++) if (!acceptOne()) return;
  };
  return {
    port,
    look,
    listen: () => {
      if (listening || !open) return;
      listening = true;
      start();
    },
    rest: () => {
      if (!listening) return;
      listening = false;
      watch.stop();
    },
    close: () => {
      if (!open) return;
      open = false;
      clearTimeout(recovery);
      watch[Symbol.dispose]();
      calls.close(descriptor);
    },
  };
}

/** What Node does by itself. */
const nothing = (): void => {};

async function openWithNode(
  { address, port }: Endpoint,
  { calls, onConnection }: ListenerTerms,
): Promise<PassiveListener | undefined> {
  // allowHalfOpen: a client that shuts down its sending side still wants the whole download.
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const listening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host: address, port, backlog: DATA_BACKLOG }, () => resolve(true));
  });
  if (!listening) return undefined;
  server.on("connection", (socket) => onConnection(new SocketEnd(socket, calls)));
  server.on("error", () => {});
  return { port, look: nothing, listen: nothing, rest: nothing, close: () => void server.close() };
}
