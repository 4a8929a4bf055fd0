/** Attack 64: names that a server makes up. None reaches a terminal, a path of this machine or a line to the server as it stands. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FtpError } from "../../src/client/errors.ts";
import { Liar } from "./liar.ts";
import { CAREFUL, endure, tryOut } from "./unharmed.ts";

/** What may not be a name of a file here. */
const BAD = ["..", ".", "a/b", "/etc/passwd", "../up", "nul\0inside", "return\rinside", ""] as const;
const GOOD = [
  "plain",
  " leading",
  "trailing ",
  "caf\xc3\xa9",
  "latin\xe9",
  "\x1b[31mred",
  "-rf",
  "a;b",
  "type=file;size=1; x",
  "~",
  "\\",
] as const;

const facts = (name: string): string => `type=file;size=3;modify=20240102030405; ${name}\r\n`;
const long = (name: string): string => `-rw-r--r--   1 ann ann        3 Jan 02  2024 ${name}\r\n`;

for (const [verb, lineOf, features] of [
  ["MLSD", facts, undefined],
  ["LIST", long, ["EPSV", "SIZE"]],
] as const) {
  test(`attack 64: names in ${verb}`, async () => {
    const text = [...BAD, ...GOOD].map(lineOf).join("");
    const content = { [verb]: () => [Buffer.from(text, "latin1")] };
    await tryOut({
      liar: { lies: { content, ...(features === undefined ? {} : { features }) } },
      async act({ client }) {
        const listing = client.list("/");
        const names = (await listing.toArray()).map(({ name }) => name);
        for (const name of names) {
          assert.doesNotMatch(name, /[\0\r\n/]/);
          assert.ok(!["", ".", ".."].includes(name));
        }
        for (const name of ["plain", "trailing ", "café", "-rf", "~"])
          assert.ok(names.includes(name), `${name} is missing: ${names.join("|")}`);
        assert.ok(listing.warnings.length > 0, "nothing was said of the names that were left out");
        // oxlint-disable-next-line no-control-regex -- control characters are what is meant
        for (const warning of listing.warnings) assert.doesNotMatch(warning, /[\0-\x1f\x7f]/);
      },
      ends: "well",
    });
  });
}

test("attack 64: a walk follows no folder that is above or elsewhere", async () => {
  const lines = ["..", ".", "a/..", "deep"].map((name) => `type=dir; ${name}\r\n`).join("");
  await tryOut({
    liar: { lies: { content: { MLSD: () => [Buffer.from(lines)] } } },
    async act({ client, liar }) {
      let entries = 0;
      for await (const entry of client.walk("/", { depth: 3 })) {
        assert.match(entry.path, /^(?:\/deep)+$/);
        entries += 1;
      }
      assert.ok(entries >= 3);
      assert.ok(liar.heard.every(({ argument }) => !argument.includes("..")));
    },
    ends: "well",
  });
});

test("a server whose folders have no end ends a walk by its depth", async () => {
  await tryOut({
    liar: { lies: { content: { MLSD: () => [Buffer.from("type=dir; deep\r\n")] } } },
    async act({ client }) {
      let entries = 0;
      for await (const { type } of client.walk("/")) entries += type === "directory" ? 1 : 0;
      assert.ok(entries >= 10 && entries <= 100, `${entries}`);
    },
    options: { ...CAREFUL, connections: 1 },
  });
});

suite("names of the caller that no line can carry", () => {
  for (const name of ["a\r\nDELE /hello.txt", "a\nDELE /hello.txt", "a\0b", "a\rb"]) {
    test(JSON.stringify(name), async () => {
      await using liar = await Liar.start();
      await endure(liar, {
        async act({ client }) {
          const calls = [
            async () => client.read(name),
            async () => client.remove(name),
            async () => client.mkdir(name),
            async () => client.rename("/hello.txt", name),
            async () => client.write(name, Buffer.from("x")),
            async () => client.list(name).toArray(),
            async () => client.stat(name),
            async () => client.raw(`CWD ${name}`),
          ];
          for (const call of calls) {
            await assert.rejects(
              call,
              (error: unknown) => error instanceof FtpError && ["UNSAFE_NAME", "USAGE"].includes(error.code),
            );
          }
        },
        ends: "well",
      });
      assert.ok(!liar.verbs.includes("DELE"));
      assert.ok(liar.tree.has("/hello.txt"));
    });
  }
});

test("errors carry no control character of a server", async () => {
  const error = await tryOut({
    liar: { lies: { replies: { RETR: { say: "550 \x1b]0;owned\x07 \x1b[2J no\r\n" } } } },
    act: async ({ client }) => client.read("/hello.txt"),
    ends: ["NOT_FOUND", "DENIED"],
  });
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  assert.doesNotMatch(error?.message ?? "", /[\0-\x1f\x7f-\x9f]/);
});
