import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { Finding } from "../doctor/finding.ts";
import { doctorCommand } from "./doctor.ts";
import { CliError } from "./exit.ts";

const GOOD: Finding = {
  id: "jail",
  state: "good",
  says: "the kernel keeps clients inside",
  evidence: ["openat2 works"],
};
const BAD: Finding = {
  id: "data-path",
  state: "bad",
  says: "it failed",
  evidence: ["octets lost"],
  cure: "report this",
};

async function asked(args: readonly string[], findings: readonly Finding[]): Promise<{ text: string; error: unknown }> {
  const stdout = new PassThrough({ encoding: "utf8" });
  const command = doctorCommand({ stdout, examine: async () => findings }).exitOverride();
  let error: unknown;
  await command.parseAsync([...args], { from: "user" }).catch((thrown: unknown) => {
    error = thrown;
  });
  return { text: String(stdout.read() ?? ""), error };
}

test("each finding says what, why and what to do", async () => {
  const { text, error } = await asked([], [GOOD, BAD]);
  assert.match(text, /ok {4}the kernel keeps clients inside\n {6}openat2 works\n/);
  assert.match(text, /FAIL {2}it failed\n {6}octets lost\n {6}cure: report this\n/);
  assert.ok(error instanceof CliError && error.exitCode === 1);
});

test("--json gives the findings as they are, and a good machine ends well", async () => {
  const { text, error } = await asked(["--json"], [GOOD]);
  assert.deepEqual(JSON.parse(text), [GOOD]);
  assert.equal(error, undefined);
});
