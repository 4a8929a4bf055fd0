/** What is told about the served folders. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfiguration } from "../config/configuration.ts";
import { exposedFiles, homeNotes, unusedFolder } from "./home-notes.ts";

test("attack 61: files that govern the server are told when clients are served the folder that they lie in", async () => {
  const serve = { users: "/srv/pub/users.toml", xferlog: "/var/log/xferlog" };
  const tls = { cert: "/srv/pub/tls/a.pem", key: "/srv/public/a.key" };
  const configuration = await loadConfiguration({ environment: {}, flags: { serve, tls } });
  const homes = [{ who: "anonymous", folder: "/srv/pub", writes: false }];
  const notes = exposedFiles(configuration, { homes, stateFolder: "/srv/pub/state" });
  assert.deepEqual(
    notes.map((note) => note.split(" ")[0]),
    ["/srv/pub/users.toml", "/srv/pub/tls/a.pem", "/srv/pub/state"],
  );
  assert.deepEqual(exposedFiles(configuration, { homes: [], stateFolder: "/srv/pub/state" }), []);
});

test("a home that is not there is no reason to stop, nor to be told twice", () => {
  const plan = { workers: 1, user: { uid: 65_534, gid: 65_534 }, userName: "nobody", notes: [] };
  const missing = { who: "ann", folder: "/no/such/home", writes: true };
  assert.deepEqual(homeNotes([missing], plan), []);
  // Root's own, which no other user may write in.
  const [note] = homeNotes([{ ...missing, folder: "/" }], plan);
  assert.match(note ?? "", /ann cannot upload: .*nobody.* \/\. Cure: chown/);
});

function ann(folder: string): { who: string; folder: string; writes: boolean } {
  return { who: "ann", folder, writes: true };
}

test("a folder that nobody finds himself in is told, with what to do", () => {
  const asked = { folder: "/srv/pub", given: "pub", users: "users.toml" };
  const [note] = unusedFolder([ann("/home/ann")], asked);
  assert.match(note ?? "", /^Nobody is served \/srv\/pub: .*--anonymous read.*users\.toml/);
  for (const home of ["/srv/pub", "/srv/pub/ann", "/srv"]) assert.deepEqual(unusedFolder([ann(home)], asked), []);
  assert.equal(unusedFolder([ann("/srv/public")], asked).length, 1);
  assert.deepEqual(unusedFolder([ann("/home/ann")], { ...asked, given: "." }), [], "it was not asked for");
});
