/** Broken TLS connections in every test run, a few hundred of them; `FUZZ_TLS=5000` asks for more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createFtpServer } from "../../src/server/server.ts";
import { createMemoryStorage } from "../../src/storage/memory.ts";
import { openThings, until } from "../support/attack.ts";
import { annStore, lenientGuard } from "../support/server.ts";
import { testTerms } from "../support/tls.ts";
import type { FerrymanEvent } from "../../src/workspace/events.ts";
import { fuzzTls } from "./tls.ts";

/** Milliseconds of rest that are measured. */
const REST_MS = 1_000;

test("TLS connections cut at any octet leave no fault, no socket and no work behind", async () => {
  const count = Number(process.env["FUZZ_TLS"] ?? "400");
  const events: FerrymanEvent[] = [];
  const stray: unknown[] = [];
  const note = (error: unknown): unknown => stray.push(error);
  process.on("warning", note);
  const server = createFtpServer({
    guard: lenientGuard(),
    listen: [
      { address: "127.0.0.1", port: 0 },
      { address: "127.0.0.1", port: 0, implicit: true },
    ],
    accounts: [annStore("/nowhere")],
    openStorage: async () => createMemoryStorage({ "/a": "x" }),
    settings: { dataOpenTimeout: 1 },
    tls: { terms: () => testTerms(), settings: { ccc: true } },
    onEvent: (event) => events.push(event),
  });
  const [plain, implicit] = await server.listen();
  const ports = { port: plain?.port ?? 0, implicitPort: implicit?.port ?? 0 };
  const before = resources();
  const memory = process.memoryUsage().rss;
  const started = performance.now();
  const sum = await fuzzTls({ ...ports, connections: count, parallel: 32, seed: 7 });
  const seconds = (performance.now() - started) / 1000;
  const counted = (type: string): number => events.filter((event) => event.type === type).length;
  await until("all sessions are over", () => counted("session.opened") === counted("session.closed"));
  await until("no socket is left", () => openThings("/nowhere").connected === 0);
  await until("no resource is left", () => resources() <= before);
  const used = process.cpuUsage();
  await delay(REST_MS);
  const { user, system } = process.cpuUsage(used);
  const atRest = (user + system) / 10 / REST_MS;
  console.log(
    `${count} connections in ${seconds.toFixed(1)} s; closed by the server ${sum.closedByServer}, given up ${sum.givenUp}; ` +
      `CPU at rest afterwards ${atRest.toFixed(2)} %; memory ${toMiB(memory)} → ${toMiB(process.memoryUsage().rss)} MiB`,
  );
  assert.equal(sum.givenUp, 0, "the server closes each of them by itself");
  assert.ok(atRest < 10, `${atRest} % of a CPU at rest`);
  assert.deepEqual(
    events.filter(({ type }) => type === "server.fault"),
    [],
  );
  assert.deepEqual(stray, []);
  process.off("warning", note);
  await server.close({ graceSeconds: 0 });
});

/** Sockets and timers of this process. */
/** Sockets and timers that are alive; those of a session must end with it. */
function resources(): number {
  const kinds = /Socket|TLS|TCP|Timeout|Immediate/;
  return process.getActiveResourcesInfo().filter((name) => kinds.test(name) && name !== "TCPServerWrap").length;
}

function toMiB(octets: number): string {
  return (octets / 1_048_576).toFixed(0);
}
