/** Real clients against our server: every client in every data mode that it has, on IPv4 and IPv6. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { Client as BasicFtp } from "basic-ftp";
import { missing } from "../support/run.ts";
import { startServer } from "../support/server.ts";
import { CLIENTS, type Client, type Mode } from "./clients.ts";

const HOSTS = { IPv4: "127.0.0.1", IPv6: "::1" } as const;
const NAME = "a file with spaces & ümläut.bin";
const hasIPv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));

for (const client of CLIENTS) {
  suite(`interop ${client.name}`, { skip: missing(client.program) }, () => {
    for (const family of ["IPv4", "IPv6"] as const) {
      for (const mode of client.modes[family]) {
        const skip = family === "IPv6" && !hasIPv6 ? "this machine has no IPv6 loopback" : false;
        test(`${client.name} ${mode} ${family}`, { skip }, async () => tryOut(client, mode, HOSTS[family]));
      }
    }
  });
}

async function tryOut(client: Client, mode: Mode, host: string): Promise<void> {
  await using served = await startServer({ host });
  const folder = await mkdtemp(join(tmpdir(), "ferryman-client-"));
  try {
    const content = randomBytes(1_500_000);
    await writeFile(join(served.root, NAME), content);
    const place = { host, port: served.port, folder };
    assert.match(await client.list(place, mode), /a(?: |%20)file(?: |%20)with/);
    assert.ok((await client.download(place, mode, NAME)).equals(content), "the download differs");
    assert.ok(verbsUsed(served.events).has(mode), `no ${mode} was seen, only ${[...verbsUsed(served.events)].join()}`);
    if (client.upload !== undefined) {
      const upload = randomBytes(700_000);
      await writeFile(join(folder, "up load.bin"), upload);
      await client.upload(place, mode, "up load.bin");
      assert.ok((await readFile(join(served.root, "up load.bin"))).equals(upload), "the upload differs");
    }
    assert.deepEqual(
      served.events.filter(({ type }) => type === "server.fault"),
      [],
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function verbsUsed(events: readonly { type: string; verb?: string; code?: number }[]): Set<string> {
  return new Set(
    events.flatMap(({ type, verb, code }) =>
      type === "command" && verb !== undefined && (code ?? 500) < 400 ? [verb] : [],
    ),
  );
}

test("interop basic-ftp: a tree up, listed, down again and removed", async () => {
  await using served = await startServer();
  const folder = await mkdtemp(join(tmpdir(), "ferryman-basic-"));
  const client = new BasicFtp();
  try {
    await client.access({ host: "127.0.0.1", port: served.port, user: "ann", password: "secret" });
    await writeFile(join(folder, "one.txt"), "one");
    await client.ensureDir("deep/er");
    await client.uploadFrom(join(folder, "one.txt"), "one.txt");
    const [entry] = await client.list();
    assert.equal(entry?.name, "one.txt");
    assert.equal(entry.size, 3);
    assert.equal(await client.size("one.txt"), 3);
    assert.ok(Math.abs((await client.lastMod("one.txt")).getTime() - Date.now()) < 60_000);
    await client.rename("one.txt", "two.txt");
    await client.downloadTo(join(folder, "back.txt"), "two.txt");
    assert.equal(await readFile(join(folder, "back.txt"), "utf8"), "one");
    await client.cd("/");
    await client.removeDir("deep");
    assert.deepEqual(await client.list(), []);
  } finally {
    client.close();
    await rm(folder, { recursive: true, force: true });
  }
});
