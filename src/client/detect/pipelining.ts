/**
 * Whether a server bears EPSV while a RETR is not done yet, which saves a round trip for each file. The try is made so
 * that it always tells: RETR and EPSV go out before we connect for the first of them, so the second surely comes early.
 * Servers that read one command at a time send both files whole; those that drop the first port do not.
 */
import { chooseDataPath } from "../../net/data-path.ts";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { DataConnection } from "../../net/data-connection.ts";
import { SocketEnd } from "../../net/data-end.ts";
import { parse227, parse229 } from "../../protocol/host-port.ts";
import { dial } from "../dial.ts";
import { FtpError, type FtpReply } from "../errors.ts";
import { parseProxy } from "../proxy.ts";
import type { FtpSession } from "../session.ts";
import type { ConnectOptions } from "../types.ts";
import { PIPELINE_PAUSE_MOST_MS, PIPELINE_PAUSE_MS, PIPELINE_STEP_MS, PROBE_FILE_MOST } from "./limits.ts";
import { probing } from "./probe-session.ts";

export type PipelineQuestion = {
  readonly verb: "EPSV" | "PASV";
  readonly file: { readonly path: string; readonly size: number };
};

/** @returns false for every doubt: who is wrong about this loses files. @throws the signal's reason alone. */
export async function triesPipelining(
  url: string,
  options: ConnectOptions,
  question: PipelineQuestion,
): Promise<boolean> {
  try {
    return await probing(url, options, async ({ session }) => await new PipelineTry(session, options).run(question));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof FtpError)) throw error;
    return false;
  }
}

class PipelineTry {
  readonly #session: FtpSession;
  readonly #options: ConnectOptions;

  constructor(session: FtpSession, options: ConnectOptions) {
    this.#session = session;
    this.#options = options;
  }

  async run({ verb, file }: PipelineQuestion): Promise<boolean> {
    const { link } = this.#session;
    await this.#session.setType("I");
    const asked = performance.now();
    const first = portOf(await this.#session.send(verb));
    const roundTripMs = performance.now() - asked;
    if (first === undefined) return false;
    link.write(`RETR ${file.path}`);
    link.write(verb);
    const pause = Math.min(PIPELINE_PAUSE_MS + 3 * roundTripMs, PIPELINE_PAUSE_MOST_MS);
    await delay(pause, undefined, { signal: this.#options.signal });
    if ((await this.#fetched(first)) !== file.size) return false;
    const replies = [await this.#final(), await this.#final()];
    if (replies.some(({ code }) => code >= 400)) return false;
    const second = replies.map(portOf).find((port) => port !== undefined);
    if (second === undefined) return false;
    link.write(`RETR ${file.path}`);
    return (await this.#fetched(second)) === file.size && (await this.#final()).code < 300;
  }

  async #final(): Promise<FtpReply> {
    for (;;) {
      const reply = await this.#session.link.reply({ ms: PIPELINE_STEP_MS, signal: this.#options.signal });
      if (reply.code >= 200) return reply;
    }
  }

  /** @returns octets that came on one data connection. */
  async #fetched(port: number): Promise<number> {
    const { tls, isPrivate } = this.#session;
    const socket = await this.#dial(port);
    const limit = AbortSignal.timeout(PIPELINE_STEP_MS);
    const { signal: own } = this.#options;
    const signal = own === undefined ? limit : AbortSignal.any([own, limit]);
    const end = new SocketEnd(socket, undefined);
    try {
      const stream =
        isPrivate && tls !== undefined
          ? await tls.secureData(end, { direction: "in", path: chooseDataPath("portable") }, signal)
          : { socket: end.toSocket(), peer: end.remote };
      await using transport = new DataConnection(stream, { stallMs: PIPELINE_STEP_MS, signal, throttle: undefined });
      let octets = 0;
      while (octets <= PROBE_FILE_MOST) {
        const chunks = await transport.receive();
        if (chunks.length === 0) break;
        for (const chunk of chunks) octets += chunk.length;
      }
      return octets;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      // Whatever it was: it has not worked.
      return -1;
    } finally {
      socket.destroy();
    }
  }

  async #dial(port: number): Promise<Socket> {
    const { proxy, signal } = this.#options;
    const through = proxy === undefined || parseProxy(proxy).kind === "ftp" ? undefined : proxy;
    const host = this.#session.info.address;
    const dialled = await dial(
      { host, port },
      { signal, timeoutMs: PIPELINE_STEP_MS, proxy: through, connection: "data" },
    );
    return dialled.socket;
  }
}

function portOf({ code, lines }: FtpReply): number | undefined {
  const text = lines.join(" ");
  if (code === 229) return parse229(text);
  return code === 227 ? parse227(text)?.port : undefined;
}
