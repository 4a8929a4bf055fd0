/** The masked prompt: what is typed is not shown, editing works, and the terminal is put back whatever happens. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { CliError } from "./exit.ts";
import { askSecret } from "./password-prompt.ts";

type Asked = { readonly answer: string | CliError; readonly shown: string; readonly modes: readonly boolean[] };

/** Types `pieces`, each as one chunk, into a prompt. */
async function type(...pieces: readonly (string | Buffer)[]): Promise<Asked> {
  const modes: boolean[] = [];
  const input = new PassThrough();
  const keyboard = Object.assign(input, {
    isRaw: false,
    setRawMode(mode: boolean) {
      modes.push(mode);
      keyboard.isRaw = mode;
      return keyboard;
    },
  });
  let shown = "";
  const asking = askSecret("Password: ", {
    keyboard,
    screen: { write: (text: string) => (shown += text) },
  });
  for (const piece of pieces) {
    await new Promise(setImmediate);
    input.write(piece);
  }
  if (pieces.at(-1) === "") input.end();
  const answer = await asking.catch((error: unknown) => {
    if (error instanceof CliError) return error;
    throw error;
  });
  return { answer, shown, modes };
}

test("what is typed is hidden, key by key or pasted", async () => {
  const typed = await type("s", "e", "cret", "\r");
  assert.deepEqual(typed, { answer: "secret", shown: "Password: ******\n", modes: [true, false] });
  assert.equal((await type("secret\n")).answer, "secret");
});

test("letters of more than one octet are one star, even when they come in two pieces", async () => {
  const { answer, shown } = await type(Buffer.from([0xc3]), Buffer.from([0xbc]), "用", "\r");
  assert.equal(answer, "ü用");
  assert.equal(shown, "Password: **\n");
});

test("backspace, Ctrl-U and arrow keys", async () => {
  assert.equal((await type("ab", "\u007f", "\u007f", "\u007f", "c", "\b", "d", "\r")).answer, "d");
  assert.equal((await type("wrong", "\u0015", "right", "\r")).answer, "right");
  assert.equal((await type("a", "\u001b[D", "b", "\t", "\r")).answer, "ab");
});

test("Ctrl-C, Ctrl-D and a terminal that goes away end it with code 1, and the terminal is as before", async () => {
  for (const end of ["\u0003", "\u0004", ""]) {
    const { answer, modes } = await type("half", end);
    assert.ok(
      answer instanceof CliError && answer.exitCode === 1 && !answer.message.includes("half"),
      JSON.stringify(end),
    );
    assert.deepEqual(modes, [true, false]);
  }
});
