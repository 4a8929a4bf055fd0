/** What the command line of the load generator in Node says; the one in C reads the same. */
import { parseArgs } from "node:util";

/** What a number may be at most. */
const [MOST_SESSIONS, MOST_TIMES, MOST_OCTETS] = [60_000, 100_000_000, 2 ** 42];

const NAMES = {
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "0" },
  user: { type: "string", default: "anonymous" },
  pass: { type: "string", default: "load@example.com" },
  path: { type: "string", default: "" },
  verb: { type: "string", default: "LIST" },
  command: { type: "string", default: "NOOP" },
  type: { type: "string", default: "I" },
  sessions: { type: "string", default: "1" },
  repeat: { type: "string", default: "1" },
  files: { type: "string", default: "10000" },
  idle: { type: "string", default: "0" },
  busy: { type: "string", default: "0" },
  timeout: { type: "string", default: "120" },
  size: { type: "string", default: String(2 ** 20) },
  pace: { type: "string", default: String(4 * 2 ** 20) },
  tls: { type: "boolean", default: false },
  "tls-implicit": { type: "boolean", default: false },
  tls12: { type: "boolean", default: false },
  "no-resume": { type: "boolean", default: false },
  // Node has no other way than to decrypt.
  decrypt: { type: "boolean", default: false },
  pasv: { type: "boolean", default: false },
  "mode-z": { type: "boolean", default: false },
} as const;

export type Options = ReturnType<typeof readOptions>;

/** @throws Fault that names the option. */
export function readOptions(args: readonly string[]) {
  const { values, positionals } = parse(args);
  const [mode = "", ...more] = positionals;
  if (mode === "" || more.length > 0) throw new Fault("exactly one mode is needed");
  const options = {
    mode,
    host: values.host,
    port: number("port", values.port, [0, 65_535]),
    user: values.user,
    pass: values.pass,
    path: values.path,
    verb: values.verb,
    command: values.command,
    type: /^a/i.test(values.type) ? "A" : "I",
    sessions: number("sessions", values.sessions, [1, MOST_SESSIONS]),
    repeat: number("repeat", values.repeat, [1, MOST_TIMES]),
    files: number("files", values.files, [1, MOST_TIMES]),
    idle: number("idle", values.idle, [0, MOST_SESSIONS]),
    busy: number("busy", values.busy, [0, MOST_SESSIONS]),
    timeout: number("timeout", values.timeout, [1, 86_400]),
    size: number("size", values.size, [0, MOST_OCTETS]),
    pace: number("pace", values.pace, [1, MOST_OCTETS]),
    tls: values.tls || values["tls-implicit"],
    implicit: values["tls-implicit"],
    version: values.tls12 ? ("TLSv1.2" as const) : ("TLSv1.3" as const),
    resume: !values["no-resume"],
    pasv: values.pasv,
    modeZ: values["mode-z"],
  };
  if (options.port === 0 && !mode.startsWith("raw-")) throw new Fault("--port is missing");
  if (mode.startsWith("small-") && !options.path.includes("%d")) throw new Fault("--path of small files needs a %d");
  if (options.modeZ && mode !== "retr" && mode !== "small-retr") throw new Fault("--mode-z is for downloads");
  return options;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: NAMES, allowPositionals: true });
  } catch (error) {
    throw new Fault(error instanceof Error ? error.message : String(error));
  }
}

function number(name: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Fault(`--${name} must be a number from ${least} to ${most}`);
}

/** What ends the run; its message is shown as it is. */
export class Fault extends Error {
  override readonly name = "Fault";
}

/** `pattern` with its first %d replaced. */
export function numbered(pattern: string, value: number): string {
  return pattern.replace("%d", String(value));
}
