/** Asks for a password on a terminal, without showing it; whatever happens, the terminal is as before afterwards. */
import { StringDecoder } from "node:string_decoder";
import { CliError, EXIT } from "./exit.ts";

/** What is needed of `process.stdin` on a terminal. */
export interface Keyboard {
  readonly isRaw: boolean;
  setRawMode(mode: boolean): unknown;
  on(event: "data", listener: (octets: Buffer) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  off(event: "data", listener: (octets: Buffer) => void): unknown;
  off(event: "end", listener: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}
export type Terminal = { readonly keyboard: Keyboard; readonly screen: { write(text: string): unknown } };

/** The answer, a `*` shown for each character. @throws {CliError} on Ctrl-C, Ctrl-D, or when the terminal goes away. */
export async function askSecret(question: string, { keyboard, screen }: Terminal): Promise<string> {
  screen.write(question);
  const wasRaw = keyboard.isRaw;
  const restore = (): void => {
    keyboard.setRawMode(wasRaw);
  };
  // Also when something ends the process meanwhile: a shell without echo looks broken.
  process.once("exit", restore);
  keyboard.setRawMode(true);
  try {
    return await typed({ keyboard, screen });
  } finally {
    process.off("exit", restore);
    restore();
    keyboard.pause();
    screen.write("\n");
  }
}

async function typed({ keyboard, screen }: Terminal): Promise<string> {
  const decoder = new StringDecoder("utf8");
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer: readonly string[] = [];
  const onData = (octets: Buffer): void => {
    // An escape sequence (an arrow key) comes as one piece: no part of it is meant.
    if (octets[0] === 0x1b) return;
    for (const key of decoder.write(octets)) {
      const next = press(answer, key);
      if (next === "done") return resolve(answer.join(""));
      if (next === "cancelled") return reject(new CliError("cancelled; nothing was changed", EXIT.failed));
      screen.write(next.length > answer.length ? "*" : "\b \b".repeat(answer.length - next.length));
      answer = next;
    }
  };
  const onEnd = (): void => reject(new CliError("the terminal was closed; nothing was changed", EXIT.failed));
  keyboard.on("data", onData);
  keyboard.on("end", onEnd);
  keyboard.resume();
  try {
    return await promise;
  } finally {
    keyboard.off("data", onData);
    keyboard.off("end", onEnd);
  }
}

function press(answer: readonly string[], key: string): readonly string[] | "done" | "cancelled" {
  if (key === "\r" || key === "\n") return "done";
  // Ctrl-C, and Ctrl-D.
  if (key === "\u0003" || key === "\u0004") return "cancelled";
  if (key === "\u007f" || key === "\b") return answer.slice(0, -1);
  // Ctrl-U: all of the line, as a terminal itself does it.
  if (key === "\u0015") return [];
  return key < " " ? answer : [...answer, key];
}
