/** MODE Z: what each command moves in it, over every kind of data connection, and with ABOR, rates and the log. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { deflateSync, inflateSync } from "node:zlib";
import { missing, run } from "./support/run.ts";
import { loginSecure } from "./support/secure-wire.ts";
import { type TestServer, startServer } from "./support/server.ts";
import { Wire } from "./support/wire.ts";

/** Text that compresses well, of which no two parts are alike. */
const TEXT = Buffer.from(Array.from({ length: 40_000 }, (_, line) => `line ${line} of a text\n`).join(""));
const CRLF = Buffer.from(TEXT.toString().replaceAll("\n", "\r\n"));

/** A control connection in MODE Z, and its transfers. */
type Client = Disposable & {
  readonly wire: Wire;
  readonly fetch: (command: string) => Promise<Buffer>;
  readonly store: (command: string, octets: Buffer) => Promise<readonly number[]>;
};

async function inClear(server: TestServer): Promise<Client> {
  const wire = await Wire.login(server.port);
  return {
    wire,
    fetch: async (command) => (await wire.fetch(command)).data,
    store: async (command, octets) => wire.store(command, octets),
    [Symbol.dispose]: () => wire[Symbol.dispose](),
  };
}

async function overTls(server: TestServer): Promise<Client> {
  const secure = await loginSecure(server.port);
  return {
    wire: secure.wire,
    fetch: async (command) => secure.fetch(command),
    store: async (command, octets) => secure.store(command, octets),
    [Symbol.dispose]: () => secure[Symbol.dispose](),
  };
}

const WAYS = {
  "native data path": { settings: { dataPath: "native" }, connect: inClear },
  "portable data path": { settings: { dataPath: "portable" }, connect: inClear },
  TLS: { tls: {}, connect: overTls },
} as const;

for (const [name, { connect, ...wishes }] of Object.entries(WAYS)) {
  suite(`MODE Z, ${name}`, () => {
    test("files go down and up, in TYPE I and A, from REST and in RANG on", async () => {
      await using server = await startServer(wishes);
      using client = await connect(server);
      const { wire, fetch, store } = client;
      const random = randomBytes(1_500_000);
      await writeFile(join(server.root, "text"), TEXT);
      await writeFile(join(server.root, "random"), random);
      await wire.expect(200, "MODE Z");
      await wire.expect(200, "TYPE I");
      const packed = await fetch("RETR text");
      assert.ok(packed.length < TEXT.length / 3, `${packed.length} octets on the wire`);
      assert.ok(inflateSync(packed).equals(TEXT));
      assert.ok(inflateSync(await fetch("RETR random")).equals(random));
      await wire.expect(350, "REST 700000");
      assert.ok(inflateSync(await fetch("RETR random")).equals(random.subarray(700_000)));
      await wire.expect(350, "RANG 10 400009");
      assert.ok(inflateSync(await fetch("RETR random")).equals(random.subarray(10, 400_010)));
      assert.deepEqual(await store("STOR up", deflateSync(random)), [150, 226]);
      assert.ok((await readFile(join(server.root, "up"))).equals(random));
      assert.deepEqual(await store("APPE up", deflateSync(TEXT, { level: 9 })), [150, 226]);
      assert.ok((await readFile(join(server.root, "up"))).equals(Buffer.concat([random, TEXT])));
      assert.deepEqual(await store("STOU up", deflateSync(TEXT, { level: 0 })), [150, 226]);
      assert.ok((await readFile(join(server.root, "up.1"))).equals(TEXT));
      await wire.expect(200, "TYPE A");
      assert.ok(inflateSync(await fetch("RETR text")).equals(CRLF));
      await wire.expect(350, "REST 123");
      assert.ok(inflateSync(await fetch("RETR text")).equals(CRLF.subarray(123)));
      assert.deepEqual(await store("STOR lines", deflateSync(CRLF)), [150, 226]);
      assert.ok((await readFile(join(server.root, "lines"))).equals(TEXT));
      assert.deepEqual(
        server.events.filter(({ type }) => type === "server.fault"),
        [],
      );
    });

    test("listings are compressed, and are the same as without", async () => {
      await using server = await startServer(wishes);
      using client = await connect(server);
      for (let count = 0; count < 300; count += 1) await writeFile(join(server.root, `file number ${count}`), "");
      for (const verb of ["LIST", "NLST", "MLSD"]) {
        await client.wire.expect(200, "MODE S");
        const plain = await client.fetch(verb);
        await client.wire.expect(200, "MODE Z");
        const packed = await client.fetch(verb);
        assert.ok(packed.length < plain.length / 2);
        assert.equal(inflateSync(packed).toString(), plain.toString());
      }
    });
  });
}

test("ABOR ends a compressed transfer in either direction, and the next one is whole", async () => {
  await using server = await startServer();
  using wire = await Wire.login(server.port);
  const content = randomBytes(30_000_000);
  await writeFile(join(server.root, "file"), content);
  await wire.expect(200, "TYPE I");
  await wire.expect(200, "MODE Z");
  for (const [command, begin] of [
    ["RETR file", () => {}],
    ["STOR other", (data: NodeJS.WritableStream) => void data.write(deflateSync(content.subarray(0, 500_000)))],
  ] as const) {
    const data = await wire.passive();
    await wire.expect(150, command);
    begin(data);
    await wire.expect(426, "ABOR");
    await wire.expect(226);
    data.destroy();
  }
  const { data, codes } = await wire.fetch("RETR file");
  assert.deepEqual(codes, [150, 226]);
  assert.ok(inflateSync(data).equals(content));
});

test("a stalled compressed transfer ends in 426", async () => {
  await using server = await startServer({ settings: { stallTimeout: 1 } });
  using wire = await Wire.login(server.port);
  await wire.expect(200, "MODE Z");
  const data = await wire.passive();
  await wire.expect(150, "STOR file");
  data.write(deflateSync("text").subarray(0, 5));
  await wire.expect(426);
  data.destroy();
});

test("the log counts octets of the file, the rate those of the wire", async () => {
  const rate = 1_000_000;
  await using server = await startServer({ settings: { downloadRate: rate, uploadRate: rate } });
  using wire = await Wire.login(server.port);
  const content = Buffer.alloc(8_000_000, TEXT);
  await writeFile(join(server.root, "file"), content);
  await wire.expect(200, "TYPE I");
  await wire.expect(200, "MODE Z");
  const started = performance.now();
  const { data } = await wire.fetch("RETR file");
  const wanted = ((data.length - 0.1 * rate) / rate) * 1_000;
  assert.ok(performance.now() - started > wanted, "faster than the rate");
  assert.deepEqual(await wire.store("STOR up", data), [150, 226]);
  const took = performance.now() - started;
  assert.ok(took > 2 * wanted, "faster than the rate");
  assert.ok(took < 12_000, `${took} ms: the rate held the octets of the file`);
  const counted = server.events.filter((event) => event.type === "transfer").map(({ octets }) => octets);
  assert.deepEqual(counted, [content.length, content.length]);
});

/** Raw sockets and zlib of Python, which share no code with ours. */
const PYTHON = `
import hashlib, re, socket, sys, zlib
port = int(sys.argv[1])
control = socket.create_connection(("127.0.0.1", port), 30)
lines = control.makefile("rb")
def reply(code):
    line = lines.readline()
    assert line.startswith(str(code).encode()), line
    return line.decode()
def ask(code, line):
    control.sendall(line.encode() + b"\\r\\n")
    return reply(code)
def data():
    port = int(re.search(r"\\|\\|\\|(\\d+)\\|", ask(229, "EPSV")).group(1))
    return socket.create_connection(("127.0.0.1", port), 30)
reply(220); ask(331, "USER ann"); ask(230, "PASS secret"); ask(200, "TYPE I"); ask(200, "MODE Z")
ask(200, "OPTS MODE Z LEVEL 6")
down = data(); ask(150, "RETR file")
inflate = zlib.decompressobj(); content = b""
while True:
    chunk = down.recv(65536)
    if not chunk: break
    content += inflate.decompress(chunk)
content += inflate.flush()
assert inflate.eof and not inflate.unused_data
down.close(); reply(226)
up = data(); ask(150, "STOR copy")
deflate = zlib.compressobj(4)
for at in range(0, len(content), 10000):
    up.sendall(deflate.compress(content[at:at + 10000]))
    # A sender may flush where it likes.
    if at % 3 == 0: up.sendall(deflate.flush(zlib.Z_SYNC_FLUSH if at % 2 else zlib.Z_FULL_FLUSH))
up.sendall(deflate.flush()); up.close(); reply(226)
print(hashlib.sha256(content).hexdigest())
`;

test("interop Python zlib over raw sockets, MODE Z", { skip: missing("python3") }, async () => {
  await using server = await startServer();
  const content = Buffer.concat([TEXT, randomBytes(500_000)]);
  await writeFile(join(server.root, "file"), content);
  const { code, stdout, stderr } = await run("python3", ["-c", PYTHON, `${server.port}`]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trim(), createHash("sha256").update(content).digest("hex"));
  assert.ok((await readFile(join(server.root, "copy"))).equals(content));
});

test("interop lftp, MODE Z", { skip: missing("lftp") }, async () => {
  await using server = await startServer();
  const content = Buffer.concat([TEXT, randomBytes(500_000)]);
  await writeFile(join(server.root, "file"), content);
  await writeFile(join(server.root, "empty"), "");
  const script = [
    "set cmd:fail-exit yes",
    "set net:max-retries 1",
    "set ftp:ssl-allow no",
    "set ftp:use-mode-z yes",
    `open ftp://ann:secret@127.0.0.1:${server.port}/`,
    "ls",
    `get file -o "${server.root}/down"`,
    `put "${server.root}/down" -o up`,
    `put "${server.root}/empty" -o nothing`,
  ];
  const { code, stdout, stderr } = await run("lftp", ["--norc", "-c", script.join("; ")]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, / file$/m);
  assert.ok((await readFile(join(server.root, "up"))).equals(content));
  assert.equal((await readFile(join(server.root, "nothing"))).length, 0);
  const modes = server.events.filter(
    (event) => event.type === "command" && event.verb === "MODE" && event.code === 200,
  );
  assert.ok(modes.length > 0, "lftp did not ask for MODE Z");
});
