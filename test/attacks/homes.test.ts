/** Attacks on where a session stands: homes that vanish, and messages that a client planted. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  readFileSync,
  readdirSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RIGHTS } from "../../src/account/account.ts";
import { annStore, startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

const VANISHED: Readonly<Record<string, (home: string) => void>> = {
  "is gone": () => {},
  "is a file": (home) => writeFileSync(home, ""),
  "is a link that leads nowhere": (home) => symlinkSync("nowhere", home),
  "is a link to itself": (home) => symlinkSync(home, home),
};

for (const [how, make] of Object.entries(VANISHED)) {
  test(`attack 30: a home that ${how} means no login, and never another folder`, async () => {
    const outer = mkdtempSync(join(tmpdir(), "ferryman-test-"));
    try {
      const home = join(outer, "home");
      make(home);
      await using server = await startServer({ accounts: [annStore(home)] });
      using wire = await Wire.open(server.port);
      await wire.expect(331, "USER ann");
      await wire.expect(530, "PASS secret");
      await wire.expect(530, "PWD");
      await wire.expect(530, "EPSV");
      assert.doesNotMatch(JSON.stringify(await wire.ask("STAT")), new RegExp(outer));
    } finally {
      rmSync(outer, { recursive: true, force: true });
    }
  });
}

test("attack 30: a home that goes away under a session leaves a session that can do nothing", async () => {
  const outer = mkdtempSync(join(tmpdir(), "ferryman-test-"));
  try {
    const home = join(outer, "home");
    mkdirSync(home);
    writeFileSync(join(home, "file.txt"), "mine");
    mkdirSync(join(outer, "other"));
    writeFileSync(join(outer, "other", "file.txt"), "another's");
    await using server = await startServer({ accounts: [annStore(home)] });
    using wire = await Wire.login(server.port);
    rmSync(home, { recursive: true });
    // Another folder takes the name: it is not the one that was signed in to.
    renameSync(join(outer, "other"), home);
    assert.deepEqual((await wire.fetch("RETR file.txt")).codes, [550]);
    assert.deepEqual(await wire.store("STOR new.txt", "x"), [550]);
    for (const line of ["MLST file.txt", "CWD sub", "MKD made", "DELE file.txt", "SITE CPFR file.txt"])
      await wire.expect(550, line);
    await wire.expect(200, "NOOP");
    assert.equal(readFileSync(join(home, "file.txt"), "utf8"), "another's");
    assert.deepEqual(readdirSync(home), ["file.txt"]);
  } finally {
    rmSync(outer, { recursive: true, force: true });
  }
});

test("attack 60: a message is shown only to those who could not have written it", async () => {
  for (const { rights, shown } of [
    { rights: ["list", "read"], shown: true },
    { rights: ["list", "read", "delete", "mkdir"], shown: true },
    { rights: ["list", "read", "write"], shown: false },
    { rights: ["list", "read", "overwrite"], shown: false },
    { rights: ["list", "read", "append"], shown: false },
    { rights: ["list", "read", "rename"], shown: false },
    { rights: ["list", "write"], shown: false },
    { rights: ["list"], shown: false },
    { rights: RIGHTS, shown: false },
  ] as const) {
    await using server = await startServer({ account: { rights: new Set(rights) } });
    mkdirSync(join(server.root, "folder"));
    writeFileSync(join(server.root, "folder", ".message"), "250 Planted\r\n%C \x1b[31m\r\n421 Bye\r\n");
    using wire = await Wire.login(server.port);
    const lines = await wire.expect(250, "CWD folder");
    assert.equal(
      lines.some((line) => line.includes("Planted")),
      shown,
      rights.join(),
    );
    // Whatever it says, it is one reply.
    await wire.expect(257, "PWD");
  }
});
