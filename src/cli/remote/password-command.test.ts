/** Programs that keep passwords: run without a shell, within a time, and with clear words where they fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CliError } from "../exit.ts";
import { passwordFrom } from "./password-command.ts";

const NODE = `'${process.execPath}' -e`;

test("the first line of the output counts, and arguments come as they are quoted", async () => {
  assert.equal(await passwordFrom(`${NODE} "console.log('s3cr et\\r\\nlogin: ann')"`), "s3cr et");
  const echo = `${NODE} 'console.log(process.argv.slice(1).join())' "a b" '$HOME' c\\ d *`;
  assert.equal(await passwordFrom(echo), "a b,$HOME,c d,*");
});

test("what a shell alone understands is refused before anything is run", async () => {
  for (const command of ["pass show a | head -1", "a; b", "a && b", "a > b", "'open", " "]) {
    await assert.rejects(passwordFrom(command), (error) => error instanceof CliError && error.exitCode === 2, command);
  }
});

test("a program that is not there, fails, says nothing or does not end is told", async () => {
  const cases: readonly (readonly [command: string, words: RegExp])[] = [
    ["/no/such/program x", /there is no program \/no\/such\/program/],
    [`${NODE} 'process.exit(3)'`, /it ended with 3/],
    [`${NODE} 'console.log()'`, /first line of its output is empty/],
    [`${NODE} 'setInterval(() => 0, 1000)'`, /it has not ended after 1 s/],
  ];
  for (const [command, words] of cases) {
    await assert.rejects(passwordFrom(command, { ms: 1_000 }), (error) => {
      assert.ok(error instanceof CliError);
      assert.match(error.message, words);
      return true;
    });
  }
});

test("more output than a password has is read, and not kept", async () => {
  assert.equal(await passwordFrom(`${NODE} "console.log('first'); console.log('x'.repeat(1e6))"`), "first");
});
