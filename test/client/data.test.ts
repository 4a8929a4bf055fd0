/** Servers that misbehave on data connections: orders of things, ports that lead nowhere or elsewhere, wrong sizes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { ConnectOptions } from "../../src/client/types.ts";
import { parseEprt } from "../../src/protocol/host-port.ts";
import { connectFrom } from "../support/attack.ts";
import { endlessListing } from "./liar-tree.ts";
import { Liar } from "./liar.ts";
import type { Lies } from "./lies.ts";
import {
  ACTS,
  CAREFUL,
  CONTENT,
  type Case,
  type CaseTable,
  HASTY,
  LARGE,
  aboutReplies,
  endure,
  tryOut,
} from "./unharmed.ts";

const { get, list, put, putLarge, putWithoutEnd, read } = ACTS;

function lying(lies: Lies, rest: Omit<Case, "liar">): Case {
  return { ...rest, liar: { lies } };
}

/** A server that tells no sizes: nothing but the end of the data says that a file is whole. */
const WITHOUT_SIZE = {
  features: ["EPSV", "REST STREAM"],
  replies: { SIZE: { say: "500 What?\r\n" }, MLST: { say: "500 What?\r\n" } },
} as const;

const ORDERS: CaseTable = {
  "226 before the data": lying(
    { steps: { RETR: ["opening", "connect", "closing", "data", "end"] } },
    { act: get, ends: "well" },
  ),
  "150 and 226 before the connection": lying(
    { steps: { RETR: ["opening", "closing", "connect", "data", "end"] } },
    { act: get },
  ),
  "data, and 150 and 226 after it": lying(
    { steps: { RETR: ["connect", "data", "end", "opening", "closing"] } },
    { act: get },
  ),
  "150 never": lying({ steps: { RETR: ["connect", "data", "end", "closing"] } }, { act: get, options: HASTY }),
  "226 never": lying(
    { steps: { RETR: ["opening", "connect", "data", "end", "hang"] } },
    { act: get, options: HASTY, callMs: 1_000 },
  ),
  "226 never, after an upload": lying(
    { steps: { STOR: ["opening", "connect", "data", "end", "hang"] } },
    { act: put, options: HASTY, callMs: 1_000 },
  ),
  "more data after 226": lying(
    { steps: { RETR: ["opening", "connect", "data", "closing", "data", "end"] } },
    { act: get, ends: ["MISMATCH", "PROTOCOL"] },
  ),
  "226 and no data": lying(
    { steps: { RETR: ["opening", "closing"] } },
    { act: get, options: HASTY, ends: ["MISMATCH", "STALLED", "TIMEOUT", "RESET", "DATA_BLOCKED"] },
  ),
  "half of the data, 226": lying(
    { steps: { RETR: ["opening", "connect", "half", "end", "closing"] } },
    { act: get, ends: ["MISMATCH"] },
  ),
  "half of the data, and a reset": lying(
    { steps: { RETR: ["opening", "connect", "half", "reset", "closing"] } },
    { act: get },
  ),
  "half of the data, a reset, 226, and no sizes": lying(
    { ...WITHOUT_SIZE, steps: { RETR: ["opening", "connect", "half", "reset", "closing"] } },
    { act: get, ends: ["RESET", "MISMATCH"] },
  ),
  "half of the data, and silence": lying(
    { steps: { RETR: ["opening", "connect", "half", "deaf"] } },
    { act: get, options: HASTY, ends: ["STALLED", "TIMEOUT"] },
  ),
  "half of a listing, and silence": lying(
    { steps: { MLSD: ["opening", "connect", "half", "hang"] } },
    { act: list, options: HASTY, ends: ["STALLED", "TIMEOUT"] },
  ),
  "half of a listing, and a reset": lying(
    { steps: { MLSD: ["opening", "connect", "half", "reset", "closing"] } },
    { act: list, ends: ["RESET"] },
  ),
  "a listing that ends with 451": aboutReplies(
    { "MLSD end": { say: "451 Local error.\r\n" } },
    { act: list, ends: ["BUSY", "RESET", "PROTOCOL", "DENIED", "NOT_FOUND"] },
  ),
  "an upload of which half is taken, 226": lying(
    { steps: { STOR: ["opening", "connect", "half", "end", "closing"] } },
    { act: putLarge, options: HASTY, callMs: 3_000 },
  ),
  "an upload of which half is taken, a reset, 226": lying(
    { steps: { STOR: ["opening", "connect", "half", "reset", "closing"] } },
    { act: putLarge, options: HASTY, ends: ["RESET", "MISMATCH", "STALLED"] },
  ),
  "an upload that is never read": lying(
    { steps: { STOR: ["opening", "connect", "hang"] } },
    { act: putWithoutEnd, options: HASTY, ends: ["STALLED", "TIMEOUT"] },
  ),
  "an upload that ends with 552": aboutReplies(
    { "STOR end": { say: "552 Too much.\r\n" } },
    { act: put, ends: ["QUOTA", "NO_SPACE"] },
  ),
  "each octet of the data by itself": lying({ splitData: true }, { act: get, ends: "well" }),
};

const SIZES: CaseTable = Object.fromEntries(
  ["5", "24", "-1", "1e9", "99999999999999999999999", "x", ""].map((size) => [
    `SIZE says "${size}" of 23 octets`,
    aboutReplies({ SIZE: { say: `213 ${size}\r\n` }, MLST: { say: "500 What?\r\n" } }, { act: get }),
  ]),
);

const TIMES: CaseTable = Object.fromEntries(
  ["", "x", "20249999999999", "00000000000000", "99991231235959.999", "19700101000000"].map((time) => [
    `MDTM says "${time}"`,
    aboutReplies({ MDTM: { say: `213 ${time}\r\n` }, MLST: { say: "500 What?\r\n" } }, { act: get }),
  ]),
);

const only = (...modes: ("epsv" | "pasv" | "eprt" | "port")[]): ConnectOptions => ({
  ...CAREFUL,
  data: { modes, waitMs: 150 },
});
const malformed = (verb: "EPSV" | "PASV", text: string): readonly [string, Case] => [
  `${verb} answers ${text}`,
  aboutReplies(
    { [verb]: { say: `${text}\r\n` } },
    {
      act: get,
      options: { ...HASTY, data: { modes: [verb === "EPSV" ? "epsv" : "pasv"] } },
      ends: ["PROTOCOL", "DATA_BLOCKED"],
    },
  ),
];

const PORTS: CaseTable = {
  "EPSV's port is silent, alone": lying(
    { passivePort: "silent" },
    { act: get, options: { ...HASTY, ...only("epsv"), replyMs: 500 }, ends: ["DATA_BLOCKED", "TIMEOUT"] },
  ),
  "passive ports are silent, and active ones work": lying(
    { passivePort: "silent" },
    { act: get, options: { ...CAREFUL, data: { waitMs: 150 } }, ends: "well" },
  ),
  "passive ports are closed, and active ones work": lying({ passivePort: "refused" }, { act: get, ends: "well" }),
  "passive ports are closed, alone": lying(
    { passivePort: "refused" },
    { act: get, options: only("epsv", "pasv"), ends: ["DATA_BLOCKED"] },
  ),
  "passive commands are refused": aboutReplies(
    { EPSV: { say: "550 No.\r\n" }, PASV: { say: "550 No.\r\n" } },
    { act: get, ends: "well" },
  ),
  "every mode is refused": aboutReplies(
    Object.fromEntries(["EPSV", "PASV", "EPRT", "PORT"].map((verb) => [verb, { say: "500 No.\r\n" }])),
    { act: get, ends: ["DATA_BLOCKED", "UNSUPPORTED"] },
  ),
  "the server never comes in active mode": lying(
    { steps: { RETR: ["opening", "hang"] } },
    {
      act: get,
      options: { ...HASTY, ...only("eprt"), replyMs: 400 },
      callMs: 1_500,
      ends: ["DATA_BLOCKED", "TIMEOUT", "STALLED"],
    },
  ),
  "the server cannot come in active mode": lying(
    { replies: { RETR: { say: "425 Cannot connect.\r\n" } } },
    { act: get, options: only("eprt"), ends: ["DATA_BLOCKED"] },
  ),
  "425 for EPSV once": aboutReplies({ EPSV: [{ say: "425 Address already in use.\r\n" }] }, { act: get }),
  ...Object.fromEntries(
    ["229 (|||99999|)", "229 (|||0|)", "229 (|||-5|)", "229 ok", "229 (||||)", "200 (|||1234|)"].map((text) =>
      malformed("EPSV", text),
    ),
  ),
  ...Object.fromEntries(
    ["227 ok", "227 (127,0,0,1,999,1)", "227 (127,0,0,1,0,0)", "227 (127,0,0,1)", "227 (0,0,0,0,0,0)"].map((text) =>
      malformed("PASV", text),
    ),
  ),
};

for (const [name, table] of Object.entries({ orders: ORDERS, sizes: SIZES, times: TIMES, ports: PORTS })) {
  suite(name, { concurrency: false }, () => {
    for (const [what, one] of Object.entries(table)) test(what, async () => void (await tryOut(one)));
  });
}

test("attack 64: a 227 of a third host is not followed: the server's own address is used", async () => {
  const after = (liar: Liar): void => assert.equal(liar.trapped, 0);
  const options = { ...CAREFUL, data: { modes: ["pasv"] } } as const;
  await tryOut({ ...lying({ passiveAddress: "127.0.0.2" }, { act: get, options, ends: "well" }), after });
});

test("in active mode a stranger who comes first is not taken for the server", async () => {
  await using liar = await Liar.start({ lies: { replies: { EPRT: { waitMs: 150 } } } });
  const visit = async (): Promise<void> => {
    const { argument } = await liar.hears("EPRT");
    const place = parseEprt(argument);
    assert.equal(place?.kind, "address");
    const stranger = await connectFrom("127.0.0.3", { port: place.hostPort.port });
    stranger.end("an evil file");
    stranger.resume();
    await once(stranger, "close");
  };
  await Promise.all([visit(), endure(liar, { act: get, options: only("eprt"), ends: "well" })]);
});

suite("what has no end", () => {
  const endlessFile: Lies = { content: { RETR: () => endlessListing((index) => `line ${index}`) } };

  test("a file that is longer than it was said is left before the disk is full", async () => {
    await tryOut(
      lying(endlessFile, {
        act: get,
        options: CAREFUL,
        callMs: 3_000,
        ends: ["MISMATCH", "LIMIT", "PROTOCOL", "TIMEOUT"],
      }),
    );
  });

  test("a read into memory stops at its limit", async () => {
    await tryOut(
      lying(endlessFile, { act: async ({ client }) => client.read("/hello.txt", { most: 100_000 }), ends: ["LIMIT"] }),
    );
  });

  test("a listing of 10 GB is read as far as somebody wants it, and the server is kept waiting meanwhile", async () => {
    const wanted = 5_000;
    let made = 0;
    const content = {
      MLSD: () =>
        endlessListing((index) => ((made = index), `type=file;size=${index};modify=20240102030405; file-${index}`)),
    };
    await tryOut({
      ...lying(
        { content },
        {
          async act({ client }) {
            let seen = 0;
            for await (const entry of client.list("/")) {
              assert.equal(entry.name, `file-${seen}`);
              seen += 1;
              if (seen === wanted) break;
            }
            // What fits into the buffers of two sockets and the readers above them: some megabytes.
            assert.ok(made < wanted + 200_000, `${made} lines were read for ${wanted}`);
          },
          ends: "well",
        },
      ),
    });
  });

  test("a line of a listing that does not end", async () => {
    const content = { MLSD: () => endless("type=file; x".repeat(100)) };
    await tryOut(lying({ content }, { act: list, options: CAREFUL, callMs: 4_000, ends: ["LIMIT", "PROTOCOL"] }));
  });

  test("lines of a listing that say nothing", async () => {
    const content = { MLSD: () => endless("nonsense\r\n".repeat(100)) };
    await tryOut(
      lying({ content }, { act: list, options: CAREFUL, callMs: 1_000, ends: ["TIMEOUT", "LIMIT", "PROTOCOL"] }),
    );
  });
});

function* endless(text: string): Generator<Buffer> {
  const piece = Buffer.from(text, "latin1");
  for (;;) yield piece;
}

suite("after a failure", () => {
  test("the next call on the same client works", async () => {
    await using liar = await Liar.start({
      lies: { replies: { RETR: [{ say: "451 Not now.\r\n" }, "truth", { end: "reset" }] } },
    });
    await endure(liar, {
      async act(stage) {
        await assert.rejects(stage.client.read("/hello.txt"));
        await read(stage);
        await assert.rejects(stage.client.read("/hello.txt"));
        await read(stage);
        await put(stage);
      },
      ends: "well",
    });
  });

  test("a retry goes on where the data was cut", async () => {
    const steps = ["opening", "connect", "half", "reset", "closing"] as const;
    let times = 0;
    await using liar = await Liar.start({ files: { "/hello.txt": LARGE } });
    liar.behave({
      get steps() {
        times += 1;
        return times === 1 ? { RETR: steps } : {};
      },
    });
    await endure(liar, {
      options: { ...CAREFUL, retry: { attempts: 3, firstMs: 1 } },
      async act({ client, folder }) {
        await client.download("/hello.txt", join(folder, "whole"));
        assert.ok((await readFile(join(folder, "whole"))).equals(LARGE));
        assert.deepEqual(await readdir(folder), ["whole"]);
      },
      ends: "well",
    });
    assert.ok(Number(liar.heard.find(({ verb }) => verb === "REST")?.argument) > 0, liar.verbs.join(" "));
  });

  test("what was there before stays when a download fails", async () => {
    await tryOut(
      lying(
        { steps: { RETR: ["opening", "connect", "half", "reset", "closing"] } },
        {
          async act({ client, folder }) {
            const path = join(folder, "kept");
            await client.read("/sub/deep.txt").catch(() => {});
            await assert.rejects(client.download("/hello.txt", path));
            assert.ok(!(await readdir(folder)).includes("kept"));
            assert.equal(CONTENT.length, 23);
          },
          ends: "well",
        },
      ),
    );
  });
});
