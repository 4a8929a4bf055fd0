/** The examples of docs/client.md run against our own server; nothing but the host and the package's name is put in. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { createFixedAccounts, parseFixedAccount } from "../src/account/fixed.ts";
import { type FtpServer, createFtpServer } from "../src/server/server.ts";

const ROOT = join(import.meta.dirname, "..");
const LIBRARY = pathToFileURL(join(ROOT, "src/client/index.ts")).href;
const fences = readFileSync(join(ROOT, "docs/client.md"), "utf8").matchAll(/^```js\n(.*?)^```$/gms);
const examples = [...fences].map(([, code = ""]) => code);

const folder = mkdtempSync(join(tmpdir(), "ferryman-examples-"));
let server: FtpServer | undefined;
let host = "";

before(async () => {
  mkdirSync(join(folder, "served/pub"), { recursive: true });
  writeFileSync(join(folder, "served/pub/first.txt"), "first\n");
  server = createFtpServer({
    listen: [{ address: "127.0.0.1", port: 0 }],
    accounts: [await createFixedAccounts([parseFixedAccount("ann:secret", join(folder, "served"))])],
  });
  const [bound] = await server.listen();
  host = `127.0.0.1:${bound?.port ?? 0}`;
});

after(async () => {
  await server?.close({ graceSeconds: 0 });
  rmSync(folder, { recursive: true });
});

/** What each of them must have said, in their order. */
const SAID = [
  /file first\.txt 6[^]*hello\n[^]*6 octets, size agrees, by epsv/,
  /\/pub\/a\.txt 5[^]*SHA-256/,
  /NOT_FOUND transfer RETR \/pub\/missing\.txt 550 false/,
  /name: 'first\.txt'/,
  /\d copied, 0 the same, 0 failed/,
  /./,
];

test("docs/client.md has as many examples as are looked at here", () => {
  assert.equal(examples.length, SAID.length);
});

for (const [at, said] of SAID.entries()) {
  test(`example ${at + 1} of docs/client.md runs as it stands`, async () => {
    const code = (examples[at] ?? "").replaceAll("ferryman/client", LIBRARY).replaceAll("ftp.example.org", host);
    const work = join(folder, `work-${at}`);
    mkdirSync(work);
    writeFileSync(join(work, "example.mjs"), code);
    const environment = { ...process.env, XDG_STATE_HOME: join(work, "state") };
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ["example.mjs"], { cwd: work, env: environment, timeout: 30_000 });
    assert.match(stdout.replaceAll("\r", ""), said);
  });
}
