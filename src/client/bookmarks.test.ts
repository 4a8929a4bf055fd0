/** Bookmarks: kept, found, edited by hand, and no password in clear unless it was asked for. */
import assert from "node:assert/strict";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bookmarksFile, findBookmark, readBookmarks, removeBookmark, saveBookmark } from "./bookmarks.ts";
import { scratch } from "./test-folder.ts";
import { formatFtpUrl, parseFtpUrl } from "./url.ts";

const URL_TEXT = "ftpes://ann:secret@ftp.example.org/pub";

async function withFile(work: (file: string) => Promise<void>): Promise<void> {
  await using folder = await scratch();
  await work(join(folder.path, "conf", "bookmarks.json"));
}

test("a bookmark is kept without the passwords of its URL and its proxy", async () => {
  await withFile(async (file) => {
    const options = { proxy: "socks5://eve:gate@proxy.example:1080", trust: "first-use" as const };
    const said = await saveBookmark(file, { name: "work", url: parseFtpUrl(URL_TEXT), options });
    assert.deepEqual(said, ["the password is not kept: it is asked for, or taken from .netrc"]);
    assert.doesNotMatch(await readFile(file, "utf8"), /secret|gate/);
    const { byName, warnings } = await readBookmarks(file);
    assert.deepEqual(warnings, []);
    const work = byName.get("work");
    assert.equal(work === undefined ? "" : formatFtpUrl(work.url), "ftpes://ann@ftp.example.org/pub");
    assert.deepEqual(work?.options, { proxy: "socks5://proxy.example:1080", trust: "first-use" });
    if (process.platform !== "win32") assert.equal((await stat(file)).mode & 0o777, 0o600);
  });
});

test("with passwords, when they were asked for, and a warning", async () => {
  await withFile(async (file) => {
    const options = { proxy: "socks5://eve:gate@proxy.example:1080" };
    const said = await saveBookmark(file, { name: "work", url: parseFtpUrl(URL_TEXT), options, keepPassword: true });
    assert.deepEqual(said, [`the password lies in clear text in ${file}, which you alone can read`]);
    assert.deepEqual(await saveBookmark(file, { name: "b", url: parseFtpUrl("ftp://h/") }), []);
    const { byName } = await readBookmarks(file);
    assert.equal(byName.get("work")?.url.password, "secret");
    assert.deepEqual(byName.get("work")?.options, options);
    if (process.platform === "win32") return;
    await chmod(file, 0o644);
    assert.match(
      (await readBookmarks(file)).warnings.join(),
      /others on this machine can read the passwords.*chmod 600/,
    );
  });
});

test("a name with a path goes on from the bookmark's path, with two slashes from the root", async () => {
  await withFile(async (file) => {
    assert.equal((await readBookmarks(file)).byName.size, 0);
    await saveBookmark(file, { name: "a.b", url: parseFtpUrl("ftp://h/pub/") });
    await saveBookmark(file, { name: "home", url: parseFtpUrl("ftp://h") });
    const bookmarks = await readBookmarks(file);
    const paths = ["a.b", "a.b/", "a.b/x/y", "a.b//etc", "home/x", "home"].map(
      (text) => findBookmark(bookmarks, text)?.url.path,
    );
    assert.deepEqual(paths, ["pub/", "pub/", "pub/x/y", "/etc", "x", ""]);
    assert.equal(findBookmark(bookmarks, "nobody/x"), undefined);
  });
});

test("removing, and the nearest name where there is none", async () => {
  await withFile(async (file) => {
    await saveBookmark(file, { name: "mirror", url: parseFtpUrl("ftp://h/") });
    await assert.rejects(removeBookmark(file, "miror"), {
      code: "USAGE",
      message: /no bookmark "miror".*Did you mean "mirror"/,
    });
    await removeBookmark(file, "mirror");
    assert.equal((await readBookmarks(file)).byName.size, 0);
  });
});

test("a bad name is refused", async () => {
  await withFile(async (file) => {
    for (const name of ["", "a/b", "a:b", ".a", "a b", "a".repeat(65), "a\n"]) {
      await assert.rejects(saveBookmark(file, { name, url: parseFtpUrl("ftp://h/") }), { code: "USAGE" }, name);
    }
    await saveBookmark(file, { name: "größe-1", url: parseFtpUrl("ftp://h/") });
  });
});

test("a file that a hand broke is told about with the place, and not changed", async () => {
  const texts: readonly (readonly [string, RegExp])[] = [
    ["{", /it is no JSON/],
    ['{"a":{}}', /at a\.url: /],
    ['{"a":{"url":"ftp://h/","options":{"tls":"maybe"}}}', /at a\.options\.tls: /],
    ['{"a":{"url":"ftp://h/%zz"}}', /the bookmark "a": the path of the URL holds "%zz"/],
  ];
  await using own = await scratch();
  const folder = own.path;
  for (const [text, message] of texts) {
    const file = join(folder, "b.json");
    await writeFile(file, text);
    await assert.rejects(readBookmarks(file), { code: "LOCAL_IO", message }, text);
    if (text.includes("%zz")) continue;
    await assert.rejects(saveBookmark(file, { name: "b", url: parseFtpUrl("ftp://h/") }), { code: "LOCAL_IO" });
    assert.equal(await readFile(file, "utf8"), text);
  }
  await assert.rejects(readBookmarks(folder), { code: "LOCAL_IO" });
});

test("where the file lies", () => {
  const terms = { home: "/users/ann", platform: "linux" } as const;
  assert.equal(bookmarksFile({ ...terms, env: {} }), join("/users/ann", ".config", "ferryman", "bookmarks.json"));
});
