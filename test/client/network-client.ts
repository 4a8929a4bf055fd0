/** Two downloads by a client in a process of its own: how long each took and which mode carried it, as JSON; or the hint. */
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "../../src/client/client.ts";
import { FtpError } from "../../src/client/errors.ts";
import type { ConnectOptions } from "../../src/client/types.ts";
import { CONTENT } from "./peers.ts";

export type NetworkRun = {
  readonly ms: readonly number[];
  readonly modes: readonly string[];
  /** What people were told. */
  readonly notes: readonly string[];
};

const [url = "", store = "", tls = "off", folder = "", kind, mapping] = process.argv.slice(2);
const notes: string[] = [];
const options: ConnectOptions = {
  store,
  tls: tls === "off" ? "off" : { mode: "explicit", trust: "any" },
  data: {
    ...(kind === "active" ? { modes: ["eprt", "port"] } : {}),
    portMapping: mapping !== "forbidden",
  },
  ...(kind === "active" ? { retry: { attempts: 1 } } : {}),
  on: { fallback: ({ what }) => notes.push(what) },
};
await using client = await connect(url, options);
const [ms, modes]: [number[], string[]] = [[], []];
try {
  for (const name of ["once", "twice"]) await getOne(name);
} catch (error) {
  if (!(error instanceof FtpError)) throw error;
  notes.push(error.message, error.hint ?? "");
}
const run: NetworkRun = { ms, modes, notes };
process.stdout.write(JSON.stringify(run));

async function getOne(name: string): Promise<void> {
  const begun = performance.now();
  const { mode = "none", bytes } = await client.download("hello.txt", `${folder}/${name}`);
  ms.push(Math.round(performance.now() - begun));
  modes.push(mode);
  if (bytes !== CONTENT["/hello.txt"].length) throw new Error(`${bytes} octets came`);
  // What the server has to do after a transfer does not count as the next one's.
  await delay(20);
}
