/** What is told about the served folders. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfiguration } from "../config/configuration.ts";
import { exposedFiles, homeNotes } from "./home-notes.ts";

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
