/** Active mode: we connect to the port that the client named (RFC 959 §3.2). */
import { type Socket, createConnection } from "node:net";
import { systemCode } from "../base/system-code.ts";
import type { Endpoint } from "./addresses.ts";

export type ActiveTerms = {
  readonly remote: Endpoint;
  /** Our own address, so that the client sees the host that it knows. */
  readonly localAddress?: string;
  /** L-1 of RFC 959 §3.2: the control port less one. */
  readonly localPort: number;
  /** Nothing is read yet: the socket goes on to another process. */
  readonly paused?: boolean;
  /** Aborted by ABOR, by the time-out, or when the session ends. */
  readonly signal: AbortSignal;
};

/**
 * Errors of binding to L-1 that say nothing of the client: no right to a low port, taken by another program, or still
 * in TIME_WAIT towards this very client port. Any other port does then.
 */
const BIND_FAULTS: ReadonlySet<string> = new Set(["EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EPERM"]);

/** @throws the system's error (ECONNREFUSED, EHOSTUNREACH …) or the signal's reason. */
export async function connectActive(terms: ActiveTerms): Promise<Socket> {
  if (terms.localPort >= 1) {
    try {
      return await connect(terms, terms.localPort);
    } catch (error) {
      if (terms.signal.aborted || !BIND_FAULTS.has(systemCode(error))) throw error;
    }
  }
  return connect(terms, undefined);
}

async function connect(terms: ActiveTerms, localPort: number | undefined): Promise<Socket> {
  const { remote, localAddress, signal, paused = false } = terms;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = createConnection({
      host: remote.address,
      port: remote.port,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(localPort === undefined ? {} : { localPort }),
    });
    if (paused) socket.pause();
    const giveUp = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const failed = (error: Error): void => {
      signal.removeEventListener("abort", giveUp);
      reject(error);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("error", failed);
    socket.once("connect", () => {
      signal.removeEventListener("abort", giveUp);
      socket.off("error", failed);
      resolve(socket);
    });
  });
}
