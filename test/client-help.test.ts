/** Help of the client's commands fits a terminal of 80 columns, and its examples are commands that there are. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import type { Command } from "commander";
import { isBatchFault, readBatch } from "../src/client/batch.ts";
import { widthOf } from "../src/cli/columns.ts";

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  get: async () => (await import("../src/cli/get.ts")).getCommand(),
  put: async () => (await import("../src/cli/put.ts")).putCommand(),
  ls: async () => (await import("../src/cli/ls.ts")).lsCommand(),
  cat: async () => (await import("../src/cli/cat.ts")).catCommand(),
  rm: async () => (await import("../src/cli/rm.ts")).rmCommand(),
  mv: async () => (await import("../src/cli/mv.ts")).mvCommand(),
  mkdir: async () => (await import("../src/cli/mkdir.ts")).mkdirCommand(),
  stat: async () => (await import("../src/cli/stat.ts")).statCommand(),
  du: async () => (await import("../src/cli/du.ts")).duCommand(),
  find: async () => (await import("../src/cli/find.ts")).findCommand(),
  chmod: async () => (await import("../src/cli/chmod.ts")).chmodCommand(),
  mirror: async () => (await import("../src/cli/mirror.ts")).mirrorCommand(),
  cp: async () => (await import("../src/cli/cp.ts")).cpCommand(),
  watch: async () => (await import("../src/cli/watch.ts")).watchCommand(),
  completion: async () => (await import("../src/cli/completion.ts")).completionCommand(async () => []),
  bookmark: async () => (await import("../src/cli/bookmark.ts")).bookmarkCommand(),
  doctor: async () => (await import("../src/cli/doctor.ts")).doctorCommand(),
};

for (const [name, load] of Object.entries(COMMANDS)) {
  test(`${name} --help is at most 80 columns wide`, async () => {
    const command = await load();
    for (const each of [command, ...command.commands]) {
      let text = "";
      each.configureOutput({ writeOut: (piece) => (text += piece), getOutHelpWidth: () => 80 });
      each.outputHelp();
      assert.match(text, /^Usage: /);
      for (const line of text.split("\n")) assert.ok(widthOf(line) <= 80, `${widthOf(line)} columns: ${line}`);
      for (const [, used = ""] of text.matchAll(/^ {2}ferryman (\S+)/gm)) {
        assert.ok(used in COMMANDS, `an example of "${used}"`);
      }
    }
  });
}

const PAGE = readFileSync(join(import.meta.dirname, "..", "docs", "client.md"), "utf8");

test("commands of docs/client.md have no flag that there is not", async () => {
  const lines = [...PAGE.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, text = ""]) => text.split("\n"));
  const used = lines
    .map((line) => line.replace(/ #.*/, "").replace(/'[^']*'/g, "X"))
    .filter((line) => line.startsWith("ferryman "));
  assert.ok(used.length > 10);
  for (const line of used) {
    const [, name = "", ...words] = line.split(/\s+/);
    const command = await (COMMANDS[name] ?? assert.fail(line))();
    const options = [command, ...command.commands]
      .flatMap((each) => each.options)
      .flatMap(({ short, long }) => [short, long]);
    const known = new Set(options);
    for (const word of words) if (word.startsWith("-")) assert.ok(known.has(word), `${word} in: ${line}`);
  }
});

test("the list in docs/client.md is one that get -i takes", async () => {
  const [, text = ""] = /^```\n(# nightly\n.*?)^```$/ms.exec(PAGE) ?? [];
  const items = await Array.fromAsync(readBatch(Readable.from([text])));
  assert.equal(items.length, 3);
  assert.ok(!items.some(isBatchFault));
});
