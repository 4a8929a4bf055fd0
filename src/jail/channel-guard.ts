/**
 * Node's channel trusts the other process: octets that are no message, a message of gigabytes or an acknowledgement
 * that nobody waits for throw out of its reader or fill the memory. A worker that was taken over could end the broker
 * so. This stands in front of that reader and ends the worker instead.
 *
 * It knows three things of Node's inside, and does nothing where they are missing: the property kChannelHandle with an
 * `onread`, a frame as four octets of length and a value, and the event internalMessage.
 */
import type { ChildProcess } from "node:child_process";
import { faultMessage } from "../base/fault-text.ts";
import { closeHandle } from "./channel.ts";
import { MESSAGE_LIMIT } from "./limits.ts";

const HEADER_OCTETS = 4;

/** @param onViolation is called once; nothing of the worker is read from then on. @returns whether it could be done. */
export function guardChannel(child: ChildProcess, onViolation: (text: string) => void): boolean {
  guardInternalMessages(child, onViolation);
  return guardReader(child, onViolation);
}

/** Workers never send handles; of Node's own messages only an acknowledgement that is awaited goes on. */
function guardInternalMessages(child: ChildProcess, onViolation: (text: string) => void): void {
  const handlers = child.listeners("internalMessage");
  child.removeAllListeners("internalMessage");
  child.on("internalMessage", (message: unknown, handle: unknown) => {
    const command = property(message, "cmd");
    const isAwaited = Array.isArray(property(child, "_handleQueue"));
    if (isAwaited && (command === "NODE_HANDLE_ACK" || command === "NODE_HANDLE_NACK")) {
      for (const handler of handlers) Reflect.apply(handler, child, [message, handle]);
      return;
    }
    closeHandle(handle);
    onViolation("it sent a message of Node's own that nobody waits for");
  });
}

function guardReader(child: ChildProcess, onViolation: (text: string) => void): boolean {
  const key = Object.getOwnPropertySymbols(child).find(({ description }) => description === "kChannelHandle");
  const pipe = key === undefined ? undefined : property(child, key);
  const read = property(pipe, "onread");
  if (typeof pipe !== "object" || pipe === null || typeof read !== "function") return false;
  const lengths = new FrameLengths(MESSAGE_LIMIT);
  let isOver = false;
  const end = (text: string): void => {
    isOver = true;
    onViolation(text);
  };
  Reflect.set(pipe, "onread", function guarded(this: unknown, octets: unknown, ...rest: readonly unknown[]): unknown {
    if (isOver) return undefined;
    if (octets instanceof ArrayBuffer && !lengths.accept(new Uint8Array(octets))) {
      end(`it sent a message of more than ${MESSAGE_LIMIT} octets`);
      return undefined;
    }
    try {
      return Reflect.apply(read, this, [octets, ...rest]);
    } catch (error) {
      end(`it sent what is no message: ${faultMessage(error)}`);
      return undefined;
    }
  });
  return true;
}

/** Follows the lengths of frames through chunks of any size. */
export class FrameLengths {
  readonly #limit: number;
  /** Octets of the current frame that are still to come. */
  #rest = 0;
  #header: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns false when a frame says that it is longer than the limit. */
  accept(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#rest > 0) {
        const step = Math.min(this.#rest, chunk.length - at);
        this.#rest -= step;
        at += step;
        continue;
      }
      this.#header.push(chunk[at] ?? 0);
      at += 1;
      if (this.#header.length < HEADER_OCTETS) continue;
      this.#rest = this.#header.reduce((length, octet) => length * 256 + octet, 0);
      this.#header = [];
      if (this.#rest > this.#limit) return false;
    }
    return true;
  }
}

function property(of: unknown, name: string | symbol): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}
