/** The liar itself: true where it was not told to lie, and lying as it was told; seen over raw sockets and by real clients. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { missing, ok, run } from "../support/run.ts";
import { TlsTap } from "../../src/net/tls/tap.ts";
import { PrivateWire, VERSIONS, planActive, rawConnection } from "../support/tls.ts";
import { Wire, readAll } from "../support/wire.ts";
import { endlessListing } from "./liar-tree.ts";
import { FILES, Liar } from "./liar.ts";

/** Milliseconds for which a silent port must be silent to count as such. */
const SILENCE_MS = 300;
const HELLO = FILES["/hello.txt"];

suite("the truth", () => {
  test("down, up, listed, resumed and renamed in clear", async () => {
    await using liar = await Liar.start();
    using wire = await Wire.login(liar.port);
    assert.deepEqual(await wire.fetch("RETR hello.txt"), { data: Buffer.from(HELLO), codes: [150, 226] });
    assert.match((await wire.fetch("LIST", "PASV")).data.toString(), /^-rw-r--r-- .* 23 Jan 02 {2}2024 hello\.txt\r$/m);
    assert.match(
      (await wire.fetch("MLSD /sub")).data.toString(),
      /^type=file;size=5;modify=20240102030405; deep\.txt\r\n$/,
    );
    assert.deepEqual(await wire.store("STOR sub/new", "content"), [150, 226]);
    assert.deepEqual(await wire.expect(213, "SIZE /sub/new"), ["7"]);
    await wire.expect(350, "REST 3");
    assert.equal((await wire.fetch("RETR sub/new")).data.toString(), "tent");
    await wire.store("APPE sub/new", "!");
    await wire.expect(350, "RNFR sub/new");
    await wire.expect(250, "RNTO sub/old");
    assert.equal(liar.tree.get("/sub/old")?.toString(), "content!");
    assert.deepEqual((await wire.fetch("RETR none")).codes, [550]);
    await wire.expect(221, "QUIT");
    await wire.closed();
    assert.equal(liar.heard.at(-1)?.line, "QUIT");
    wire[Symbol.dispose]();
    await liar.quiet();
  });

  test("active mode, and a transfer that is aborted", async () => {
    await using liar = await Liar.start({
      lies: { content: { RETR: () => endlessListing((index) => `line ${index}`) } },
    });
    using wire = await Wire.login(liar.port);
    for (const verb of ["EPRT", "PORT"] as const) {
      const plan = await planActive(wire, verb);
      await wire.expect(150, "RETR hello.txt");
      const socket = await plan.accepted;
      await once(socket, "data");
      wire.send("\xff\xf4\xff\xf2ABOR");
      const rest = readAll(socket);
      await wire.expect(426);
      await wire.expect(226);
      await rest;
    }
  });

  for (const version of VERSIONS) {
    test(`explicit and implicit ${version}, data connections that resume`, async () => {
      for (const kind of ["explicit", "implicit"] as const) {
        await using liar = await Liar.start({ tls: { kind, version }, lies: { mustResume: true } });
        using own = kind === "implicit" ? await PrivateWire.implicit(liar.port) : await PrivateWire.open(liar.port);
        await own.wire.expect(331, "USER ann");
        await own.wire.expect(230, "PASS secret");
        await own.wire.expect(200, "PROT P");
        assert.equal((await own.fetch("RETR hello.txt")).data.toString(), HELLO);
        assert.deepEqual(await own.store("STOR up", "octets"), [150, 226]);
        assert.equal(liar.tree.get("/up")?.toString(), "octets");
        own[Symbol.dispose]();
        await liar.quiet();
      }
    });

    test(`without tickets no ${version} connection resumes, and a 425 says so`, async () => {
      await using liar = await Liar.start({ tls: { version, tickets: false }, lies: { mustResume: true } });
      using own = await PrivateWire.login(liar.port);
      const socket = await own.wire.passive();
      await own.wire.expect(150, "RETR hello.txt");
      await own.protect(socket, { session: null }).catch(() => {});
      await own.wire.expect(425);
    });
  }

  test("curl and lftp believe it", { skip: missing("curl") || missing("lftp") }, async () => {
    for (const tls of [undefined, {}]) {
      await using liar = await Liar.start(tls === undefined ? {} : { tls });
      const secure = tls === undefined ? [] : ["-k", "--ssl-reqd"];
      assert.equal(await ok(run("curl", ["-sS", ...secure, liar.url("/hello.txt")])), HELLO);
      await ok(run("curl", ["-sS", ...secure, "-T", "-", liar.url("/incoming/up")], { input: "from curl" }));
      assert.equal(liar.tree.get("/incoming/up")?.toString(), "from curl");
      const script = `set ssl:verify-certificate no; set net:max-retries 1; open ${liar.url()}; cls /; cat /sub/deep.txt`;
      const text = await ok(run("lftp", ["--norc", "-c", script]));
      assert.match(text, /hello\.txt[^]*deep\n/);
    }
  });
});

suite("lies about replies", () => {
  test("in place of it, around it, one after the other, and by what was said", async () => {
    const replies = {
      NOOP: [{ say: "250 odd\r\n" }, { before: "200 early\r\n" }, { after: "200 late\r\n" }],
      PWD: (_heard: unknown, reply: string) => ({ say: reply.replace("257", "157") }),
      SYST: { waitMs: 20 },
    } as const;
    await using liar = await Liar.start({ lies: { replies } });
    using wire = await Wire.login(liar.port);
    await wire.expect(250, "NOOP");
    assert.deepEqual(await wire.expect(200, "NOOP"), ["early"]);
    assert.deepEqual(await wire.expect(200), ["Done."]);
    assert.deepEqual(await wire.expect(200, "NOOP"), ["Done."]);
    assert.deepEqual(await wire.expect(200), ["late"]);
    await wire.expect(200, "NOOP");
    await wire.expect(157, "PWD");
    await wire.expect(215, "SYST");
  });

  test("each octet by itself, in clear and over TLS", async () => {
    await using liar = await Liar.start({ tls: {}, lies: { split: true, splitData: true } });
    using wire = await Wire.open(liar.port);
    await wire.expect(211, "FEAT");
    using own = await PrivateWire.login(liar.port);
    assert.equal((await own.fetch("RETR hello.txt")).data.toString(), HELLO);
  });

  test("an endless reply lasts for as long as somebody reads", async () => {
    await using liar = await Liar.start({ lies: { replies: { FEAT: { first: "211-x\r\n", endless: " more\r\n" } } } });
    const socket = await rawConnection(liar.port);
    socket.write("FEAT\r\n");
    while (socket.bytesRead < 1_000_000) await once(socket, "data");
    socket.destroy();
    await liar.quiet();
  });

  test("an end of each kind", async () => {
    for (const [end, code] of [
      ["reset", "ECONNRESET"],
      ["fin", undefined],
      ["half", undefined],
    ] as const) {
      await using liar = await Liar.start({ lies: { replies: { NOOP: { end } } } });
      const socket = createConnection({ port: liar.port, host: liar.host, allowHalfOpen: true });
      let fault: string | undefined;
      socket.on("error", (error) => (fault = "code" in error ? String(error.code) : "?"));
      const over = end === "reset" ? once(socket.resume(), "close") : once(socket.resume(), "end");
      socket.write("NOOP\r\n");
      await over.catch(() => {});
      assert.equal(fault, code);
      if (end === "half") socket.write("PWD\r\n");
      if (end === "half") await liar.hears("PWD");
      socket.destroy();
      await liar.quiet();
    }
  });

  test("words that nobody asked for", async () => {
    await using liar = await Liar.start();
    using wire = await Wire.login(liar.port);
    await liar.sessions[0]?.say("421 Too late.\r\n");
    await wire.expect(421);
  });
});

suite("lies about data", () => {
  test("steps in another order", async () => {
    await using liar = await Liar.start({
      lies: {
        steps: {
          RETR: ["opening", "closing", "connect", "data", "end"],
          LIST: ["connect", "half", "reset", "closing"],
        },
      },
    });
    using wire = await Wire.login(liar.port);
    const socket = await wire.passive();
    await wire.expect(150, "RETR hello.txt");
    await wire.expect(226);
    assert.equal((await readAll(socket)).toString(), HELLO);
    const reset = await wire.passive();
    const closed = closeOf(reset.resume());
    wire.send("LIST");
    await closed;
    await wire.expect(226);
  });

  test("TLS that is cut has no close_notify; one that ends has", async () => {
    for (const [step, isClean] of [
      ["cut", false],
      ["end", true],
    ] as const) {
      await using liar = await Liar.start({
        tls: {},
        lies: { steps: { RETR: ["opening", "connect", "data", step, "closing"] } },
      });
      using own = await PrivateWire.login(liar.port);
      const socket = await own.wire.passive();
      let octets = Buffer.alloc(0);
      socket.on("data", (chunk: Buffer) => (octets = Buffer.concat([octets, chunk])));
      await own.wire.expect(150, "RETR hello.txt");
      const tap = new TlsTap(socket);
      const cut = new Promise<void>((resolve) => void tap.onCut(resolve));
      const secured = await own.protect(tap);
      secured.resume();
      await cut;
      await own.wire.expect(226);
      // The last record of a clean end is an alert within an encrypted one: 24 octets by TLS 1.3 with a 16-octet tag.
      assert.equal(lastRecord(octets) < 25, isClean);
    }
  });

  test("a silent port answers nothing, a closed one refuses, and the trap counts", async () => {
    await using silent = await Liar.start({ lies: { passivePort: "silent" } });
    using wire = await Wire.login(silent.port);
    const { port } = await wire.passivePort();
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    const first = await Promise.race([once(socket, "connect").then(() => "open"), delay(SILENCE_MS, "silent")]);
    assert.equal(first, "silent");
    socket.destroy();
    await using refused = await Liar.start({ lies: { passivePort: "refused" } });
    using other = await Wire.login(refused.port);
    await assert.rejects(other.passive(), /ECONNREFUSED/);
    await using elsewhere = await Liar.start({ lies: { passiveAddress: "127.0.0.2" } });
    using third = await Wire.login(elsewhere.port);
    const place = await third.passivePort("PASV");
    assert.equal(place.address, "127.0.0.2");
    const visitor: Socket = createConnection({ host: place.address, port: place.port });
    await once(visitor.resume(), "close");
    assert.equal(elsewhere.trapped, 1);
  });

  test("breaks after any octet that is sent or received", async () => {
    await using liar = await Liar.start();
    for (const after of [1, 5, 12, 13]) {
      liar.behave({ breakControl: { of: "sent", after, how: "fin" } });
      assert.equal((await heardFrom(liar.port, "SYST\r\n")).length, after);
    }
    for (const how of ["reset", "fin"] as const) {
      liar.behave({ breakControl: { of: "received", after: 6, how } });
      assert.equal((await heardFrom(liar.port, "SYST\r\nPWD\r\n")).toString(), "220 Ready.\r\n");
      assert.equal(liar.verbs.join(), "SYST");
    }
    await liar.quiet();
  });
});

/** Settles when it has closed, however. */
async function closeOf(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
}

/** All that comes until the connection ends somehow. */
async function heardFrom(port: number, words: string): Promise<Buffer> {
  const socket = await rawConnection(port);
  const chunks: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    if (chunks.length === 0) socket.write(words);
    chunks.push(chunk);
  });
  socket.once("end", resolve);
  socket.once("close", resolve);
  await promise;
  socket.destroy();
  return Buffer.concat(chunks);
}

/** Octets of the last TLS record without its header (RFC 8446 §5.1). */
function lastRecord(octets: Buffer): number {
  let last = 0;
  for (let at = 0; at + 5 <= octets.length; at += 5 + last) last = octets.readUInt16BE(at + 3);
  return last;
}
