/** Real clients over TLS: explicit and implicit, each version, with data connections that should and that must resume. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { missing, run } from "../support/run.ts";
import { startServer } from "../support/server.ts";
import { TLS_CLIENTS, type TlsClient, type TlsVersion, ftplibRun } from "./tls-clients.ts";

const NAME = "a file with spaces & ümläut.bin";

type Way = { readonly version: TlsVersion; readonly implicit: boolean; readonly dataBinding: "require" | "prefer" };

function waysOf(client: TlsClient): readonly Way[] {
  return client.versions.flatMap((version) =>
    (client.hasImplicit ? [false, true] : [false]).flatMap((implicit) =>
      (client.resumes.includes(version) ? (["prefer", "require"] as const) : (["prefer"] as const)).map(
        (dataBinding) => ({ version, implicit, dataBinding }),
      ),
    ),
  );
}

for (const client of TLS_CLIENTS) {
  suite(`interop TLS ${client.name}`, { skip: client.program === "" ? false : missing(client.program) }, () => {
    for (const way of waysOf(client)) {
      const kind = way.implicit ? "implicit" : "explicit";
      test(`${client.name}, TLS ${way.version}, ${kind}, dataBinding ${way.dataBinding}`, async () =>
        tryOut(client, way));
    }
  });
}

async function tryOut(client: TlsClient, { version, implicit, dataBinding }: Way): Promise<void> {
  await using served = await startServer({ tls: { implicit, settings: { tls: "require-data", dataBinding } } });
  const folder = await mkdtemp(join(tmpdir(), "ferryman-client-"));
  const place = { port: served.port, folder, implicit, version };
  try {
    const content = randomBytes(1_500_000);
    await writeFile(join(served.root, NAME), content);
    assert.match(await client.list(place), /a(?: |%20)file(?: |%20)with/);
    assert.ok((await client.download(place, NAME)).equals(content), "the download differs");
    for (const size of client.cutsEmptyFiles === true ? [700_000] : [700_000, 0]) {
      const upload = randomBytes(size);
      await writeFile(join(folder, `up ${size}.bin`), upload);
      await client.upload(place, `up ${size}.bin`);
      assert.ok((await readFile(join(served.root, `up ${size}.bin`))).equals(upload), "the upload differs");
    }
    const bad = served.events.filter(({ type }) => ["server.fault", "tls.failed", "data.refused"].includes(type));
    assert.deepEqual(bad, []);
    const protocols = served.events.flatMap((event) => (event.type === "session.secured" ? [event.protocol] : []));
    assert.deepEqual(new Set(protocols), new Set([`TLSv${version}`]));
    const unbound = served.events.some(({ type }) => type === "data.unbound");
    assert.equal(unbound, !client.resumes.includes(version), "whether it resumes");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("interop CCC: Python's ftplib and curl go on in clear", async () => {
  for (const version of ["1.2", "1.3"] as const) {
    await using served = await startServer({ tls: { settings: { tls: "require", ccc: true } } });
    await writeFile(join(served.root, "file"), "content");
    if (missing("python3") === false) {
      const text = await ftplibRun({ port: served.port, folder: "/", implicit: false, version }, [
        false,
        "ccc",
        "-",
        "-",
      ]);
      assert.match(text, /\/ \['file'\]/);
    }
    if (missing("curl") !== false) continue;
    for (const mode of ["active", "passive"]) {
      const ccc = ["--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", mode];
      const versions = version === "1.2" ? ["--tls-max", "1.2"] : ["--tlsv1.3"];
      const url = `ftp://ann:secret@127.0.0.1:${served.port}/file`;
      const ran = await run("curl", ["-sS", "-k", "--ssl-reqd", "--max-time", "20", ...ccc, ...versions, url]);
      assert.equal(ran.stdout, "content", `${version} ${mode}: ${ran.stderr}`);
    }
  }
});
