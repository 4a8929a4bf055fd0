/** Listings of servers that do not do it as the book says: commands they do not know, sizes they round, names in old sets. */
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { encodeTable, nameDecoder } from "../../src/client/charset-tables.ts";
import { connect } from "../../src/client/client.ts";
import { FtpError } from "../../src/client/errors.ts";
import { EMPTY_WAIT_MS } from "../../src/client/limits.ts";
import { mirror } from "../../src/client/mirror/mirror.ts";
import { scratch } from "../../src/client/test-folder.ts";
import type { Client, ConnectOptions } from "../../src/client/types.ts";
import { Liar, type LiarWishes } from "./liar.ts";
import type { Lies } from "./lies.ts";
import { oddServer } from "./odd-server.ts";
import { CAREFUL } from "./unharmed.ts";

type On = { readonly client: Client; readonly liar: Liar; readonly notes: string[] };

async function on(
  wishes: LiarWishes & { readonly options?: ConnectOptions },
  act: (on: On) => Promise<void>,
): Promise<void> {
  await using liar = await Liar.start(wishes);
  const notes: string[] = [];
  await using client = await connect(liar.url(), {
    ...CAREFUL,
    tls: "off",
    on: { fallback: ({ what }) => void notes.push(what) },
    ...wishes.options,
  });
  await act({ client, liar, notes });
}

const NO_MLSD = ["EPSV", "SIZE", "MDTM"];
const refused = (...verbs: readonly string[]): Pick<Lies, "replies" | "steps"> => ({
  replies: Object.fromEntries(verbs.map((verb) => [verb, { say: `502 ${verb} is not known.\r\n` }])),
  steps: Object.fromEntries(verbs.map((verb) => [verb, ["opening"]])),
});

async function namesIn(client: Client, folder = "/"): Promise<readonly string[]> {
  const entries = await client.list(folder).toArray();
  return entries.map(({ name, type, size }) => `${name}:${type}:${size ?? "-"}`).toSorted();
}

const ALL = ["empty:file:0", "hello.txt:file:23", "incoming:directory:-", "sub:directory:-"];
const asked = (liar: Liar): string => liar.verbs.filter((verb) => ["MLSD", "LIST", "NLST"].includes(verb)).join(" ");

test("MLSD that FEAT promises and the server does not know gives way to LIST, once for all", async () => {
  for (const code of [500, 502, 504]) {
    const lies: Lies = { replies: { MLSD: { say: `${code} What?\r\n` } }, steps: { MLSD: ["opening"] } };
    await on({ lies }, async ({ client, liar }) => {
      assert.deepEqual(await namesIn(client), ALL);
      assert.deepEqual(await namesIn(client, "/sub"), ["deep.txt:file:5"]);
      assert.equal(asked(liar), "MLSD LIST LIST", `${code}`);
    });
  }
});

test("a folder that MLSD refuses says nothing of MLSD", async () => {
  const lies: Lies = { replies: { MLSD: [{ say: "501 No folder.\r\n" }] }, steps: {} };
  await on({ lies }, async ({ client, liar }) => {
    await assert.rejects(namesIn(client, "/none"), FtpError);
    assert.deepEqual(await namesIn(client), ALL);
    assert.equal(asked(liar), "MLSD MLSD");
  });
});

test("LIST that is refused gives way to NLST: what each name is is asked", async () => {
  await on({ lies: { features: NO_MLSD, ...refused("LIST") } }, async ({ client, liar }) => {
    assert.deepEqual(await namesIn(client), ALL);
    assert.deepEqual(await namesIn(client, "/sub"), ["deep.txt:file:5"]);
    assert.equal(asked(liar), "LIST NLST NLST");
    const walked = await Array.fromAsync(client.walk("/"));
    assert.ok(walked.some(({ path }) => path === "/sub/deep.txt"));
  });
});

test("where no command lists, the first refusal is told, and the next call tries all again", async () => {
  await on({ lies: { features: NO_MLSD, ...refused("LIST", "NLST") } }, async ({ client, liar }) => {
    const first = { code: "UNSUPPORTED", message: /LIST is not known/ };
    await assert.rejects(namesIn(client), first);
    await assert.rejects(namesIn(client), first);
    assert.equal(asked(liar), "LIST NLST LIST NLST");
  });
});

test("the kind of listing can be chosen, and is no dead end", async () => {
  await on({ options: { listing: "list" } }, async ({ client, liar }) => {
    assert.deepEqual(await namesIn(client), ALL);
    assert.equal(asked(liar), "LIST");
  });
  await on({ options: { listing: "nlst" } }, async ({ client, liar }) => {
    assert.deepEqual(await namesIn(client), ALL);
    assert.equal(asked(liar), "NLST");
  });
  await on({ lies: refused("NLST"), options: { listing: "nlst" } }, async ({ client, liar }) => {
    assert.deepEqual(await namesIn(client), ALL);
    assert.equal(asked(liar), "NLST MLSD");
  });
});

test("words that say that a folder is empty are no error, unless it is not there", async () => {
  const words = [
    "550 No files found.",
    "450 No files found",
    "450 No Files or Directories found",
    "550 No files matching",
    "550 No data sets found.",
    "550 No members found.",
    "550 Directory is empty",
    "450 /incoming: empty folder",
  ];
  for (const say of words) {
    const lies: Lies = {
      features: NO_MLSD,
      replies: { LIST: { say: `${say}\r\n` } },
      steps: { LIST: ["opening"] },
    };
    await on({ lies }, async ({ client, liar }) => {
      assert.deepEqual(await namesIn(client, "/incoming"), [], say);
      assert.equal(asked(liar), "LIST");
      await assert.rejects(namesIn(client, "/none"), { code: "NOT_FOUND" }, say);
    });
  }
  for (const say of ["550 No such file or directory.", "550 No files allowed here for you", "450 Busy, no more"]) {
    const lies: Lies = {
      features: NO_MLSD,
      replies: { LIST: { say: `${say}\r\n` } },
      steps: { LIST: ["opening"] },
    };
    await on({ lies }, async ({ client }) => await assert.rejects(namesIn(client, "/incoming"), FtpError, say));
  }
});

test("a 226 at once, and no data: the folder is empty, and nobody waits for long", async () => {
  const silent: Lies = {
    features: NO_MLSD,
    replies: { LIST: { say: "226 Transfer complete.\r\n" }, "LIST end": { say: "" } },
    steps: { LIST: ["opening", "connect", "hang"] },
  };
  for (const mode of ["epsv", "port"] as const) {
    // In active mode the server never connects.
    const lies: Lies = mode === "epsv" ? silent : { ...silent, steps: { LIST: ["opening"] } };
    await on({ lies, options: { data: { modes: [mode], portMapping: false } } }, async ({ client }) => {
      const begun = performance.now();
      assert.deepEqual(await namesIn(client, "/incoming"), []);
      const ms = performance.now() - begun;
      assert.ok(ms >= EMPTY_WAIT_MS - 50 && ms < 3_000, `${mode} took ${ms} ms`);
      assert.equal((await client.read("/hello.txt")).length, 23, "the session is in order");
    });
  }
});

test("a 226 before the data is no reason to miss it", async () => {
  const lies: Lies = {
    features: NO_MLSD,
    replies: { LIST: { say: "226 Transfer complete.\r\n" }, "LIST end": { say: "" } },
  };
  await on({ lies }, async ({ client }) => assert.deepEqual(await namesIn(client), ALL));
});

const VMS = "REPORT.TXT;1       155   2-JUL-2003 10:30:13.64  [ANN] (RWED,RWED,RE,)\r\n";
const REPORT = Buffer.alloc(79_000, "report ");

test("blocks of VMS are about the size of a file, and nothing takes them for more", async () => {
  for (const features of [["EPSV"], ["EPSV", "SIZE", "MDTM"]]) {
    const content = { LIST: () => [Buffer.from(`Directory SYS$LOGIN:[ANN]\r\n\r\n${VMS}\r\nTotal of 1 file\r\n`)] };
    const sizeless = features.includes("SIZE") ? {} : { SIZE: { say: "502 No.\r\n" }, MDTM: { say: "502 No.\r\n" } };
    const lies: Lies = { features, content, replies: sizeless };
    await on({ files: { "/REPORT.TXT": REPORT }, lies }, async ({ client }) => {
      await using folder = await scratch();
      const [entry] = await Array.fromAsync(client.glob("/*.TXT"));
      assert.equal(entry?.size, undefined);
      assert.equal(entry?.roughSize, 155 * 512);
      await client.download("/REPORT.TXT", folder.at("got"), { entry });
      assert.ok((await readFile(folder.at("got"))).equals(REPORT));
      const tree = folder.at("tree");
      const spec = { direction: "down", remote: "/", local: tree } as const;
      const first = await mirror(client, spec).run();
      assert.deepEqual(await readdir(tree), ["REPORT.TXT"], JSON.stringify(first));
      assert.ok((await readFile(`${tree}/REPORT.TXT`)).equals(REPORT));
      assert.equal((await mirror(client, spec).run()).same, 1, "its time tells that it is the same");
    });
  }
});

test("where there is no REST a file is read from its start, and what is not wanted is dropped", async () => {
  await using server = await oddServer({ file: REPORT, rest: "refuse" });
  await using client = await connect(`ftp://ann:secret@127.0.0.1:${server.port}`, { ...CAREFUL, tls: "off" });
  const parts: Buffer[] = [];
  for await (const chunk of client.open("/a", { start: 78_990 })) parts.push(Buffer.from(chunk));
  assert.deepEqual(Buffer.concat(parts), REPORT.subarray(78_990), "the end");
  await using folder = await scratch();
  await client.download("/a", folder.at("got"), { start: 10, end: 20 });
  assert.deepEqual(await readFile(folder.at("got")), REPORT.subarray(10, 20), "the midst");
  await on(
    { lies: { replies: { REST: { say: "550 Not of this file.\r\n" } } }, files: { "/a": REPORT } },
    async ({ client: other }) => {
      await assert.rejects(Array.fromAsync(other.open("/a", { start: 5 })), /cannot resume/);
    },
  );
});

function octets(text: string, charset: string): string {
  const decoder = nameDecoder(charset);
  assert.ok(decoder);
  const table = encodeTable(decoder);
  return Array.from(text, (character) => table.get(character) ?? character).join("");
}

test("names in an old set are read in it, asked for in their own octets, and said so once", async () => {
  const cases = [
    ["koi8-r", ["Документы.txt", "Новая папка.txt", "a.txt"]],
    ["shift_jis", ["会議資料.txt", "お知らせ.txt", "新しいフォルダ.txt"]],
  ] as const;
  for (const [charset, names] of cases) {
    const raw = names.map((name) => octets(name, charset));
    const lines = raw.map((name) => `type=file;size=3; ${name}\r\n`).join("");
    const content = { MLSD: () => [Buffer.from(lines, "latin1")] };
    const files = Object.fromEntries(raw.map((name) => [`/${name}`, "abc"]));
    await on({ files, lies: { content } }, async ({ client, liar, notes }) => {
      const entries = await client.list("/").toArray();
      assert.deepEqual(
        entries.map(({ name }) => name),
        names,
      );
      for (const { path } of entries) assert.equal(String(await client.read(path)), "abc");
      await client.list("/").toArray();
      assert.deepEqual(
        liar.heard.filter(({ verb }) => verb === "RETR").map(({ argument }) => argument),
        raw.map((name) => `/${name}`),
      );
      assert.equal(notes.length, 1, notes.join("; "));
      assert.match(notes[0] ?? "", new RegExp(`read as ${charset}.*--charset`));
    });
  }
});

test("names that tell nothing stay latin1, with one note; a chosen set is not argued with", async () => {
  const content = { MLSD: () => [Buffer.from("type=file;size=3; \xfe\xa4\r\n", "latin1")] };
  await on({ lies: { content } }, async ({ client, notes }) => {
    for (let times = 0; times < 2; times += 1) {
      assert.deepEqual(
        (await client.list("/").toArray()).map(({ name }) => name),
        ["þ¤"],
      );
    }
    assert.equal(notes.length, 1, notes.join("; "));
    assert.match(notes[0] ?? "", /latin1.*--charset/);
  });
  await on({ lies: { content }, options: { charset: "koi8-r" } }, async ({ client, notes }) => {
    await client.list("/").toArray();
    assert.deepEqual(notes, []);
  });
});

test("a path with dots is not removed with all that is in it", async () => {
  await on({}, async ({ client, liar }) => {
    for (const path of ["", "/", "/sub/..", "/sub/../..", "..", ".", "/nix/..", "/./sub"]) {
      await assert.rejects(client.removeTree(path), { code: "USAGE" }, path);
    }
    assert.deepEqual(
      liar.verbs.filter((verb) => verb === "DELE" || verb === "RMD"),
      [],
    );
    assert.equal(await client.removeTree("/sub"), 2);
  });
});
