/** The store of a users file: the suite, changes that are seen at once, and what closes an account. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bytesOfText } from "../base/bytes.ts";
import { accountSuite } from "../testing/account-suite.ts";
import { AccountError, type AccountStore } from "./account.ts";
import { type FileAccountsOptions, createFileAccounts, readUsers } from "./file.ts";
import { createPasswords } from "./passwords.ts";

const passwords = createPasswords({ cost: { memory: 64, passes: 1, lanes: 1 } });
const HASH = await passwords.hash(bytesOfText("right"));
const NEW_HASH = await passwords.hash(bytesOfText("newer"));

type Place = AsyncDisposable & { readonly folder: string; readonly file: string; readonly home: string };

async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-file-"));
  const [file, home] = [join(folder, "users.toml"), join(folder, "home")];
  await mkdir(home);
  return { folder, file, home, [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) };
}

function ann(home: string, more = ""): string {
  return `[users.ann]\npassword = "${HASH}"\nhome = ${JSON.stringify(home)}\n${more}\n`;
}

async function answer(store: AccountStore, password = "right", name = "ann"): Promise<string> {
  const verdict = await store.authenticate({
    name: bytesOfText(name),
    password: bytesOfText(password),
    from: "192.0.2.1",
  });
  return verdict.kind === "refused" ? verdict.reason : verdict.kind;
}

accountSuite(
  "file",
  async () => {
    const { folder, file, home, [Symbol.asyncDispose]: dispose } = await place();
    await writeFile(file, ann(home));
    return {
      store: createFileAccounts(file, { passwords }),
      name: bytesOfText("ann"),
      password: bytesOfText("right"),
      breakSource: async () => await rename(file, join(folder, "gone")),
      [Symbol.asyncDispose]: dispose,
    };
  },
  { breakable: true },
);

test("a change is seen by the next login, however quickly it comes", async () => {
  await using at = await place();
  await writeFile(at.file, ann(at.home));
  const store = createFileAccounts(at.file, { passwords });
  for (let round = 0; round < 20; round += 1) {
    // The same size, the same file, often the same tick of the clock.
    await writeFile(at.file, ann(at.home).replace(HASH, NEW_HASH));
    assert.equal(await answer(store), "wrong password");
    assert.equal(await answer(store, "newer"), "accepted");
    await writeFile(at.file, ann(at.home));
    assert.equal(await answer(store), "accepted");
  }
  await writeFile(at.file, "");
  assert.equal(await answer(store), "unknown");
});

test("disabled and expired accounts are refused, to the right password alone for that reason", async () => {
  await using at = await place();
  const now = Date.parse("2027-01-31T00:00:00Z");
  const answers = async (more: string, time: number): Promise<readonly string[]> => {
    await writeFile(at.file, ann(at.home, more));
    const store = createFileAccounts(at.file, { passwords, now: () => time });
    return [await answer(store), await answer(store, "wrong")];
  };
  assert.deepEqual(await answers("disabled = true", now), ["the account is disabled", "wrong password"]);
  assert.deepEqual(await answers("expires = 2027-01-31", now - 1), ["accepted", "wrong password"]);
  const [expired] = await answers("expires = 2027-01-31", now);
  assert.equal(expired, "the account expired on 2027-01-31T00:00:00.000Z");
});

test("the home: the account's, else the store's; none is a refusal (attack 30)", async () => {
  await using at = await place();
  await writeFile(at.file, `[users.ann]\npassword = "${HASH}"\n`);
  const homeWith = async (options: FileAccountsOptions): Promise<string> => {
    const store = createFileAccounts(at.file, { passwords, ...options });
    const verdict = await store.authenticate({
      name: bytesOfText("ann"),
      password: bytesOfText("right"),
      from: "192.0.2.1",
    });
    return verdict.kind === "accepted" ? verdict.account.home : verdict.kind;
  };
  assert.equal(await homeWith({ defaultHome: at.home }), at.home);
  assert.equal(await homeWith({ defaultHome: join(at.home, "none") }), "refused");
  await assert.rejects(homeWith({}), AccountError);
});

test(
  "a file that everyone may write is not believed",
  { skip: process.platform === "win32" && "no such bits" },
  async () => {
    await using at = await place();
    await writeFile(at.file, ann(at.home));
    await chmod(at.file, 0o666);
    await assert.rejects(answer(createFileAccounts(at.file, { passwords })), /everyone may write it.*chmod o-w/);
    await chmod(at.file, 0o664);
    assert.equal(await answer(createFileAccounts(at.file, { passwords })), "accepted");
  },
);

test("what cannot be read says why", async () => {
  await using at = await place();
  await assert.rejects(readUsers(at.file), { name: "AccountError", message: `${at.file}: there is no such file` });
  await assert.rejects(readUsers(at.home), { name: "AccountError", message: `${at.home}: not a file` });
  await writeFile(at.file, "#".repeat(5_000_000));
  await assert.rejects(readUsers(at.file), /larger than/);
});

test("a broken account is refused with its findings, its neighbour enters", async () => {
  await using at = await place();
  await writeFile(at.file, `${ann(at.home, 'rigths = "read"')}\n${ann(at.home).replace("users.ann", "users.bob")}`);
  const store = createFileAccounts(at.file, { passwords });
  await assert.rejects(answer(store), /users\.toml:4: users\.ann\.rigths: unknown key\. Did you mean "rights"/);
  assert.equal(await answer(store, "right", "bob"), "accepted");
});
