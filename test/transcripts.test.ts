/** Every command as a conversation: each file of transcripts/ is one test, on a server with files of its own. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename } from "node:path";
import { suite, test } from "node:test";
import { z } from "zod";
import { parseRights } from "../src/account/rights.ts";
import { COMMANDS } from "../src/server/commands/index.ts";
import { SITE_COMMANDS } from "../src/server/commands/site/index.ts";
import { TLS_LEVELS } from "../src/server/tls-options.ts";
import { makeFixture } from "./support/fixture.ts";
import { startServer } from "./support/server.ts";
import { type Step, playTranscript, readTranscript, verbsOf } from "./support/transcript.ts";

const FOLDER = new URL("transcripts/", import.meta.url);

/** What a `SERVER {…}` line may say: of the server's settings and where it listens, and of Ann's rights. */
const SERVER = z.strictObject({
  host: z.enum(["127.0.0.1", "::1"]).default("127.0.0.1"),
  hosts: z.array(z.string()).default([]),
  banner: z.string().default("Ferryman ready."),
  dataOpenTimeout: z.int().default(30),
  compression: z.boolean().default(true),
  /** As the option `rights` of an account. */
  rights: z.string().default("full"),
  /** Settings of TLS; absent: the server has none. */
  tls: z
    .strictObject({
      tls: z.enum(TLS_LEVELS).default("allow"),
      ccc: z.boolean().default(false),
      dataBinding: z.enum(["require", "prefer", "off"]).default("prefer"),
    })
    .optional(),
  /** TLS from the first octet on: the transcript begins with TLS. */
  implicit: z.boolean().default(false),
});

const transcripts = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".txt"))
  .map((name) => ({
    name: basename(name, ".txt"),
    steps: readTranscript(readFileSync(new URL(name, FOLDER), "utf8")),
  }));
const hasIPv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));

/** Milliseconds; the longest of them waits two seconds for refused passwords. */
const TIME_LIMIT = 30_000;

suite("transcripts", { concurrency: 4 }, () => {
  for (const { name, steps } of transcripts) {
    const skip = serverOf(steps).host === "::1" && !hasIPv6 ? "this machine has no IPv6 loopback" : false;
    test(name, { skip, timeout: TIME_LIMIT }, async () => play(steps));
  }
});

function serverOf([first]: readonly Step[]): z.infer<typeof SERVER> {
  return SERVER.parse(first?.kind === "SERVER" ? JSON.parse(first.text) : {});
}

async function play(steps: readonly Step[]): Promise<void> {
  const { host, rights, tls, implicit, ...settings } = serverOf(steps);
  const wish = tls === undefined ? {} : { tls: { implicit, settings: tls } };
  await using served = await startServer({ host, settings, account: { rights: parseRights(rights) }, ...wish });
  await makeFixture(served.root);
  await playTranscript(steps, { port: served.port, host, root: served.root });
  const faults = served.events.filter(({ type }) => type === "server.fault");
  assert.deepEqual(faults, []);
}

test("every command has a transcript of its name that sends it", () => {
  const wanted = [...COMMANDS.keys(), ...[...SITE_COMMANDS.keys()].map((verb) => `SITE ${verb}`)];
  const missing = wanted.filter((verb) => {
    const own = transcripts.find(({ name }) => name === verb.toLowerCase().replace(" ", "-"));
    return own === undefined || !verbsOf(own.steps).has(verb);
  });
  assert.deepEqual(missing, []);
});
