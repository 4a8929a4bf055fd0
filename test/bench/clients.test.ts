/** The clients' run of the benchmark: its flags, its arithmetic, and the words that each client is called with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WrongFlag } from "../../bench/asked.ts";
import { readFlags } from "../../bench/clients/flags.ts";
import type { Job, Where } from "../../bench/clients/job.ts";
import { clientPage, targetTable } from "../../bench/clients/page.ts";
import {
  type ClientCell,
  type ClientReport,
  type ClientRow,
  bestRival,
  clientReport,
  judge,
  ratioToBest,
} from "../../bench/clients/report.ts";
import { RIVALS } from "../../bench/clients/rivals.ts";
import { REMARKS, TASKS, remarkKey, withRemarks } from "../../bench/clients/tasks.ts";

function cell(client: string, values: readonly number[], more: Partial<ClientCell> = {}): ClientCell {
  return { client, values: [...values], cpu: values.map((each) => each / 2), peakMib: values.map(() => 50), ...more };
}

function row(cells: readonly ClientCell[], more: Partial<ClientRow> = {}): ClientRow {
  const fixed = { id: "a-get-vsftpd", group: "a", title: "Download", unit: "s", cpuUnit: "CPU s", targets: [] };
  return { ...fixed, cells: [...cells], ...more };
}

function runOf(rows: readonly ClientRow[]): ClientReport {
  const names = [...new Set(rows.flatMap(({ cells }) => cells.map(({ client }) => client)))];
  const clients = names.map((name) => ({ name, version: "1", setup: "as it comes" }));
  const facts = { date: "2026-01-31T12:00", quick: true, rounds: 3, seconds: 60, machine: {}, conditions: [] };
  const connections = [{ server: "vsftpd", security: "clear", modes: { epsv: "yes", port: "refused" } }];
  return { format: 1, ...facts, clients, rows: [...rows], connections };
}

const RUN = row([
  cell("ferryman", [2, 9, 1]),
  cell("curl", [3, 3, 3]),
  cell("lftp", [1, 1]),
  cell("wget", [], { problem: "not offered: no uploads" }),
]);

test("the best rival is the fastest by its median, and the ratio is of speeds", () => {
  assert.deepEqual(bestRival(RUN), { name: "lftp", value: 1 });
  assert.equal(ratioToBest(RUN), 0.5);
  assert.equal(ratioToBest(row([cell("ferryman", [1])])), undefined);
});

test("targets of each kind are met or missed by the right side", () => {
  assert.equal(judge(RUN, { kind: "wall", least: 1, rival: "curl" }).met, true);
  assert.equal(judge(RUN, { kind: "wall", least: 1 }).met, false);
  assert.equal(judge(RUN, { kind: "cpu", most: 1, rival: "curl" }).met, true);
  assert.equal(judge(RUN, { kind: "cpu", most: 1, rival: "lftp" }).met, false);
  assert.equal(judge(RUN, { kind: "memory", most: 49 }).met, false);
  assert.equal(judge(RUN, { kind: "most", most: 2 }).met, true);
  assert.equal(judge(RUN, { kind: "wall", least: 1, rival: "wget" }).met, undefined);
});

test("a remark stands beside a missed target alone", () => {
  const found = runOf([
    {
      ...RUN,
      targets: [
        { kind: "wall", least: 1 },
        { kind: "most", most: 2 },
      ],
    },
  ]);
  const told = withRemarks(found, { "a-get-vsftpd wall": "slow here", "a-get-vsftpd most": "nobody sees this" });
  assert.deepEqual(
    targetTable(told).map((line) => line.at(-1)),
    ["why", "slow here", ""],
  );
});

test("every remark is about a target that there is", () => {
  const keys = new Set(TASKS.flatMap(({ id, targets }) => targets.map((aim) => remarkKey(id, aim))));
  for (const key of Object.keys(REMARKS)) assert.ok(keys.has(key), key);
});

test("a run comes back from its JSON, and its page names what has no figure and what connects", () => {
  const failed = row([cell("ferryman", [1]), cell("aria2c", [], { problem: "ended ill" })], { id: "b", group: "b" });
  const found = clientReport.parse(JSON.parse(JSON.stringify(runOf([RUN, failed]))));
  const page = clientPage(found);
  assert.match(page, /- aria2c: ended ill \(Download\)/);
  assert.match(page, /\| vsftpd \| clear \| yes \| refused \|/);
  assert.match(page, /not offered/);
  assert.doesNotMatch(page, /undefined|NaN/);
});

test("rows have names of their own, and --only takes groups, rows and beginnings of rows", () => {
  const ids = TASKS.map(({ id }) => id);
  assert.deepEqual([...new Set(ids)], ids);
  const chosen = readFlags(["--clients", "--only", "e,a-put"]);
  assert.ok(chosen.tasks.length > 1 && chosen.tasks.every(({ id }) => id === "e-ls" || id.startsWith("a-put")));
  assert.equal(chosen.matrix, false);
  assert.equal(readFlags(["--clients"]).rounds, 3);
  assert.deepEqual(readFlags(["--clients", "--only", "matrix"]).tasks, []);
  for (const args of [["--only", "zz"], ["--with", "ftp.exe"], ["--rounds", "0"], ["--fast"]]) {
    assert.throws(() => readFlags(["--clients", ...args]), WrongFlag);
  }
});

test("clients without TLS or uploads say so, and the others are told of TLS", () => {
  const where: Where = { port: 2_121, user: "ann", password: "a b", secure: true, state: "/nowhere" };
  const get: Job = { kind: "get", path: "/big.bin", to: "/tmp/big.bin" };
  const put: Job = { kind: "put", from: "/tmp/big.bin", path: "/big.bin" };
  const words = (name: string, job: Job): string => {
    const found = RIVALS.find((each) => each.name === name)?.words(job, where) ?? [];
    return "missing" in found ? found.missing : found.join(" ");
  };
  assert.match(words("aria2c", get), /^not offered/);
  assert.match(words("wget", put), /^not offered/);
  assert.match(words("wget", get), / ftps:\/\/ann:a%20b@127\.0\.0\.1:2121\/big\.bin/);
  assert.match(words("ferryman", get), /--tls explicit/);
  assert.match(words("curl", put), /--ssl-reqd/);
  assert.match(words("lftp", get), /ssl-force yes/);
});
