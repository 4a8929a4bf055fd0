/** What the shell completes: our script in a bash, asked as its Tab key asks it. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LAUNCHER } from "./support/client-stage.ts";
import { missing, ok, run } from "./support/run.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferryman-completion-"));
});
after(async () => await rm(folder, { recursive: true, force: true }));

async function ferryman(...words: readonly string[]): Promise<string> {
  return await ok(run(process.execPath, [LAUNCHER, ...words], { env: { XDG_CONFIG_HOME: folder } }));
}

/** @param words of the line; the last one is what the cursor stands behind. */
async function completed(script: string, words: readonly string[]): Promise<readonly string[]> {
  const line = words.map((word) => `'${word}'`).join(" ");
  const ask = `ferryman() { "${process.execPath}" "${LAUNCHER}" "$@"; }
compopt() { :; }
COMP_WORDS=(ferryman ${line})
COMP_CWORD=${words.length}
_ferryman
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = await ok(run("bash", ["-c", `${script}\n${ask}`], { env: { XDG_CONFIG_HOME: folder } }));
  return said.split("\n").filter((word) => word !== "");
}

test("bash completes commands, flags, their values, and bookmarks", { skip: missing("bash") }, async () => {
  await ferryman("bookmark", "add", "nas", "ftp://ann@nas.example.org");
  const script = await ferryman("completion", "bash");
  const cases: readonly (readonly [words: readonly string[], expected: readonly string[]])[] = [
    [["m"], ["mv", "mkdir", "mirror"]],
    [["help", "mir"], ["mirror"]],
    [["get", "--exi"], ["--exists"]],
    [
      ["get", "--exists", ""],
      ["overwrite", "skip", "newer", "error"],
    ],
    [["get", "--exists", "skip", "--max-"], ["--max-time"]],
    [["ls", "na"], ["nas"]],
    [["bookmark", "r"], ["remove"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [["get", "-o", ""], []],
    [["serve", "na"], []],
  ];
  for (const [words, expected] of cases) assert.deepEqual(await completed(script, words), expected, words.join(" "));
});

for (const [shell, check] of [
  ["zsh", ["-n"]],
  ["fish", ["--no-execute"]],
] as const) {
  test(`the script for ${shell} names every command and its flags`, async () => {
    const script = await ferryman("completion", shell);
    for (const word of ["mirror", "exists", "overwrite", "bookmark list --names"])
      assert.ok(script.includes(word), word);
    if (missing(shell) === false) await ok(run(shell, [...check], { input: script }));
  });
}
