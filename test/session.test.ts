/** Sessions over time: what runs beside a transfer, what ends a session, and what a server that stops leaves standing. */
import assert from "node:assert/strict";
import { readFile, truncate, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import { createMemoryStorage } from "../src/storage/memory.ts";
import { missing, run } from "./support/run.ts";
import { startServer } from "./support/server.ts";
import { Wire, readAll } from "./support/wire.ts";

const BIG = 64_000_000;

/** A download that stands still because its client does not read: the 150 is out, the 226 is far. */
async function heldDownload(wire: Wire): Promise<Socket> {
  const data = await wire.passive();
  data.pause();
  await wire.expect(150, "RETR big.bin");
  return data;
}

async function served(settings: Parameters<typeof startServer>[0] = {}): ReturnType<typeof startServer> {
  const server = await startServer(settings);
  await writeFile(join(server.root, "big.bin"), Buffer.alloc(BIG, "big"));
  return server;
}

suite("beside a transfer", () => {
  test("NOOP and STAT are answered at once, and STAT tells of the transfer", async () => {
    await using server = await served();
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await heldDownload(wire);
    await wire.expect(200, "NOOP");
    const status = await wire.expect(211, "STAT");
    assert.match(status.join("\n"), /download of "\/big\.bin", \d+ bytes so far/);
    const listed = await wire.expect(213, "STAT big.bin");
    assert.match(listed.join("\n"), /big\.bin/);
    data.resume();
    assert.equal((await readAll(data)).length, BIG);
    await wire.expect(226);
  });

  test("ABOR ends it: 426, then 226, and the session serves on", async () => {
    await using server = await served();
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await heldDownload(wire);
    wire.send("ABOR");
    await wire.expect(426);
    await wire.expect(226);
    data.destroy();
    await wire.expect(257, "PWD");
    const again = await wire.fetch("NLST");
    assert.equal(String(again.data), "big.bin\r\n");
  });

  test("ABOR passes commands that wait; these then run in order", async () => {
    await using server = await served();
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await heldDownload(wire);
    wire.send("PWD\r\nSYST\r\nABOR");
    await wire.expect(426);
    await wire.expect(226);
    await wire.expect(257);
    await wire.expect(215);
    data.destroy();
  });

  test("ABOR before the client has connected ends the waiting", async () => {
    await using server = await served();
    using wire = await Wire.login(server.port);
    await wire.passivePort();
    wire.send("RETR big.bin");
    wire.send("ABOR");
    const codes = [];
    while (codes.at(-1) !== 226) codes.push((await wire.reply()).code);
    assert.ok(["426,226", "150,426,226"].includes(codes.join()), codes.join());
    await wire.expect(200, "NOOP");
  });

  test("QUIT lets it end: 226, then 221 and the close (RFC 959 §4.1.1)", async () => {
    await using server = await served();
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await heldDownload(wire);
    wire.send("QUIT");
    assert.equal((await readAll(data)).length, BIG);
    await wire.expect(226);
    await wire.expect(221);
    await wire.closed();
  });

  test("a command that is not urgent waits", async () => {
    await using server = await served();
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await heldDownload(wire);
    wire.send("PWD");
    wire.send("NOOP");
    assert.equal((await readAll(data)).length, BIG);
    await wire.expect(226);
    await wire.expect(257);
    await wire.expect(200);
  });

  test(
    "ABOR as Telnet IP and Synch, with urgent data as old clients send it",
    { skip: missing("python3") },
    async () => {
      await using server = await served();
      const script = `
import socket, sys, re
port = int(sys.argv[1])
for urgent in (b"\\xff\\xf4\\xff", b"\\xff\\xf4\\xff\\xf2"):
    control = socket.create_connection(("127.0.0.1", port))
    lines = control.makefile("rb")
    def say(text): control.sendall(text + b"\\r\\n"); return lines.readline()
    lines.readline(); say(b"USER ann"); say(b"PASS secret"); say(b"TYPE I")
    data_port = int(re.search(rb"\\|\\|\\|(\\d+)\\|", say(b"EPSV")).group(1))
    data = socket.create_connection(("127.0.0.1", data_port))
    print(say(b"RETR big.bin")[:3].decode())
    control.send(urgent, socket.MSG_OOB)
    rest = b"" if urgent.endswith(b"\\xf2") else b"\\xf2"
    control.sendall(rest + b"ABOR\\r\\n")
    print(lines.readline()[:3].decode(), lines.readline()[:3].decode(), say(b"NOOP")[:3].decode())
`;
      const ran = await run("python3", ["-c", script, `${server.port}`]);
      assert.equal(ran.stdout, "150\n426 226 200\n150\n426 226 200\n", ran.stderr);
    },
  );
});

/** Sparse: no disk, but hours of hashing. */
async function withHuge(): ReturnType<typeof startServer> {
  const server = await startServer();
  await writeFile(join(server.root, "huge.bin"), "");
  await truncate(join(server.root, "huge.bin"), 2 ** 42);
  return server;
}

suite("long work", () => {
  test("ABOR ends a digest: its own 451, then 226", async () => {
    await using server = await withHuge();
    using wire = await Wire.login(server.port);
    wire.send("HASH huge.bin");
    wire.send("ABOR");
    await wire.expect(451);
    await wire.expect(226);
    await wire.expect(257, "PWD");
  });

  test("a client that is gone leaves no digest running", async () => {
    await using server = await withHuge();
    const wire = await Wire.login(server.port);
    wire.send("XMD5 huge.bin");
    wire.socket.resetAndDestroy();
    await eventually(async () => server.server.who.list().length === 0);
  });
});

test("a pattern that matches more than is sorted leaves nothing out", async () => {
  const many = Object.fromEntries(Array.from({ length: 12_000 }, (_, at) => [`/big/f${at}`, ""]));
  await using server = await startServer({ openStorage: async () => createMemoryStorage(many) });
  using wire = await Wire.login(server.port);
  for (const command of ["NLST big/f*", "LIST big/*", "NLST b*/f*"]) {
    const { data, codes } = await wire.fetch(command);
    assert.deepEqual(codes, [150, 226]);
    assert.equal(data.toString().split("\r\n").length - 1, 12_000, command);
  }
});

suite("the end of a session", () => {
  test("who does not sign in gets 421 at the login time-out", async () => {
    await using server = await startServer({ settings: { loginTimeout: 1 } });
    using wire = await Wire.open(server.port);
    await wire.expect(331, "USER ann");
    const [text = ""] = await wire.expect(421);
    assert.match(text, /No login within 1 s/);
    await wire.closed();
  });

  test("who is idle gets 421, but no transfer is cut by it", async () => {
    await using server = await served({ settings: { idleTimeout: 1 } });
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await heldDownload(wire);
    // Longer than the limit, and not idle: the transfer is under way.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal((await readAll(data)).length, BIG);
    await wire.expect(226);
    const [text = ""] = await wire.expect(421);
    assert.match(text, /Idle for 1 s/);
  });

  test("a script that sends everything and shuts its side gets every reply", async () => {
    await using server = await startServer();
    using wire = await Wire.connect(server.port);
    wire.socket.end("USER ann\r\nPASS secret\r\nPWD\r\nSYST\r\nQUIT\r\n");
    for (const code of [220, 331, 230, 257, 215, 221]) await wire.expect(code);
  });

  test("attack 37: each failed login is answered later than the one before", async () => {
    await using server = await startServer({ guard: {} });
    using wire = await Wire.open(server.port);
    const times: number[] = [];
    for (const code of [530, 530, 530]) {
      await wire.expect(331, "USER ann");
      const started = performance.now();
      await wire.expect(code, "PASS wrong");
      times.push(performance.now() - started);
    }
    assert.ok((times[1] ?? 0) > (times[0] ?? 0) && (times[2] ?? 0) > (times[1] ?? 0), times.join());
  });

  test("a server that stops lets a transfer end, tells idle sessions 421, and takes nobody new", async () => {
    await using server = await served();
    using wire = await Wire.login(server.port);
    using idle = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await heldDownload(wire);
    const closing = server.server.close({ graceSeconds: 20 });
    await idle.expect(421);
    await assert.rejects(Wire.open(server.port));
    assert.equal((await readAll(data)).length, BIG);
    await wire.expect(226);
    await wire.expect(421);
    await closing;
  });

  test("when the grace is over the transfer is aborted: 426, then 421", async () => {
    await using server = await served();
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await heldDownload(wire);
    const closing = server.server.close({ graceSeconds: 0.2 });
    await wire.expect(426);
    await wire.expect(421);
    await closing;
    data.destroy();
  });
});

suite("uploads", () => {
  test("an upload that is cut is not seen, and goes on with REST where SIZE says", async () => {
    await using server = await startServer();
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const data = await wire.passive();
    await wire.expect(150, "STOR file.bin");
    data.write(Buffer.alloc(100_000, "a"));
    // What was sent must have arrived before the reset throws the rest away.
    await eventually(async () =>
      /upload of "\/file\.bin", 100000 bytes/.test((await wire.expect(211, "STAT")).join("\n")),
    );
    data.resetAndDestroy();
    await wire.expect(426);
    const names = await wire.fetch("NLST -a");
    assert.equal(String(names.data), ".\r\n..\r\n");
    const [size] = await wire.expect(213, "SIZE file.bin");
    assert.equal(size, "100000");
    await wire.expect(350, "REST 100000");
    assert.deepEqual(await wire.store("STOR file.bin", Buffer.alloc(50_000, "b")), [150, 226]);
    const stored = await readFile(join(server.root, "file.bin"));
    assert.ok(stored.equals(Buffer.concat([Buffer.alloc(100_000, "a"), Buffer.alloc(50_000, "b")])));
  });

  test("a good file stays as it is until its successor is whole", async () => {
    await using server = await startServer();
    await writeFile(join(server.root, "file.txt"), "the good one");
    using wire = await Wire.login(server.port);
    const data = await wire.passive();
    await wire.expect(150, "STOR file.txt");
    data.write("half of a ");
    await eventually(async () => /10 bytes/.test((await wire.expect(211, "STAT")).join("\n")));
    assert.equal(await readFile(join(server.root, "file.txt"), "utf8"), "the good one");
    data.resetAndDestroy();
    await wire.expect(426);
    assert.equal(await readFile(join(server.root, "file.txt"), "utf8"), "the good one");
    assert.deepEqual(await wire.store("STOR file.txt", "the better one"), [150, 226]);
    assert.equal(await readFile(join(server.root, "file.txt"), "utf8"), "the better one");
  });
});

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("it did not come to hold");
    await new Promise(setImmediate);
  }
}
