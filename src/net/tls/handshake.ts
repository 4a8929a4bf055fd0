/** Waits for a TLS handshake, and says in words why one failed. */
import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { CutStream } from "./cut.ts";

/** Milliseconds that an alert gets to reach the peer before the connection is closed. */
const ALERT_MS = 500;

/** `message` is ours and may be shown to the client: it holds nothing of the host. */
export class TlsFailed extends Error {
  override readonly name = "TlsFailed";
}

/**
 * @param signal gives up; its reason is thrown then.
 * @param tap the one below the socket, if there is one: it keeps TCP's end from the TLS engine.
 * @throws {TlsFailed} after the socket has been closed.
 */
export async function handshake(
  socket: TLSSocket,
  { timeoutMs, signal, tap }: { timeoutMs: number; signal: AbortSignal; tap?: CutStream | undefined },
): Promise<void> {
  if (signal.aborted) {
    socket.destroy();
    throw signal.reason;
  }
  const cleanUp = new DisposableStack();
  let isPeerGone = false;
  const settled = new Promise<void>((resolve, reject) => {
    const seconds = Math.round(timeoutMs / 1000);
    const timer = setTimeout(
      () => reject(new TlsFailed(`the TLS handshake was not done within ${seconds} s`)),
      timeoutMs,
    );
    const failed = (error: Error): void => {
      isPeerGone = "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(new TlsFailed(explain(error), { cause: error }));
    };
    let isOver = false;
    // Nothing more will come, but what came may still bring it to its end, or tell by an alert why not.
    const ended = (): void => void afterLast(tap, () => isOver).then(closed);
    const closed = (): void => {
      isPeerGone = true;
      reject(new TlsFailed("the connection was closed during the TLS handshake"));
    };
    const aborted = (): void => reject(signal.reason);
    socket.once("secure", resolve);
    // An alert that came last is told by an error, which follows the end.
    socket.once("close", closed);
    socket.once("end", ended);
    socket.on("error", failed);
    cleanUp.defer(tap?.onCut(ended) ?? ((): void => {}));
    signal.addEventListener("abort", aborted, { once: true });
    cleanUp.defer(() => {
      isOver = true;
      socket.off("end", ended);
      clearTimeout(timer);
      socket.off("secure", resolve);
      socket.off("close", closed);
      socket.off("error", failed);
      signal.removeEventListener("abort", aborted);
    });
  });
  try {
    await settled;
  } catch (error) {
    socket.on("error", () => {});
    const isAlertOut = error instanceof TlsFailed && !isPeerGone && !socket.destroyed;
    if (isAlertOut) await delay(ALERT_MS, undefined, { signal }).catch(() => {});
    socket.destroy();
    throw error;
  } finally {
    cleanUp.dispose();
  }
}

/** When the TLS engine has taken all that came before the end of TCP. */
async function afterLast(tap: CutStream | undefined, isOver: () => boolean): Promise<void> {
  await tap?.quiet(isOver);
  await new Promise(setImmediate);
}

/** By OpenSSL's reason, which Node has in `code`: who did not like what, and what to change. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/ALERT_UNKNOWN_CA|ALERT_BAD_CERTIFICATE|ALERT_CERTIFICATE_UNKNOWN/, "the client does not trust our certificate"],
  [/ALERT_CERTIFICATE_EXPIRED/, "the client says that our certificate has expired"],
  [/NO_APPLICATION_PROTOCOL/, "the client asked for another protocol than ftp (ALPN)"],
  [/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|VERSION_TOO_LOW/, "the client has no TLS version that is allowed here"],
  [/NO_SHARED_CIPHER|ALERT_HANDSHAKE_FAILURE/, "client and server have no cipher in common"],
  [/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH|UNEXPECTED_MESSAGE|BAD_RECORD_TYPE/, "what came was not TLS"],
  [/PEER_DID_NOT_RETURN/, "the client sent no certificate"],
  [/ECONNRESET|EPIPE/, "the connection was reset during the TLS handshake"],
];

function explain(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.message;
  return REASONS.find(([reason]) => reason.test(code))?.[1] ?? `the TLS handshake failed (${plainCode(code)})`;
}

/** OpenSSL's own name for it, without addresses or files. */
function plainCode(code: string): string {
  return /^(?:ERR_SSL_)?([A-Z0-9_]{1,60})$/.exec(code)?.[1]?.toLowerCase().replaceAll("_", " ") ?? "no reason given";
}
