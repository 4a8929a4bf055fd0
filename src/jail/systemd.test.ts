import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { loadProcessCalls } from "../sys/process-calls.ts";
import { activatedSockets, notify, startWatchdog, watchdogInterval } from "./systemd.ts";
import { receiveDatagrams } from "./test-tools.ts";

const PID = String(process.pid);
const skip = loadProcessCalls() === undefined ? "no foreign functions here, and Node sends no unix datagrams" : false;

suite("states reach the service manager's socket", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "ferryman-notify-"));
  for (const address of [join(folder, "socket"), `@ferryman-test-${PID}`]) {
    test(address.startsWith("@") ? "abstract" : "path", () => {
      using receiver = receiveDatagrams(address);
      const tell = (state: Parameters<typeof notify>[0]): string | undefined => {
        assert.deepEqual(notify(state, { NOTIFY_SOCKET: address }), { told: true });
        return receiver.receive();
      };
      assert.equal(tell({ kind: "ready" }), "READY=1");
      assert.equal(tell({ kind: "stopping" }), "STOPPING=1");
      assert.equal(tell({ kind: "watchdog" }), "WATCHDOG=1");
      assert.equal(tell({ kind: "extend", milliseconds: 1500.5 }), "EXTEND_TIMEOUT_USEC=1500500");
      assert.equal(tell({ kind: "status", text: "2 workers\nREADY=1" }), "STATUS=2 workers READY=1");
      assert.equal(tell({ kind: "status", text: "x".repeat(10_000) })?.length, 4_096);
      const before = process.hrtime.bigint() / 1000n;
      const [, microseconds = ""] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(tell({ kind: "reloading" }) ?? "") ?? [];
      assert.ok(BigInt(microseconds) >= before && BigInt(microseconds) <= process.hrtime.bigint() / 1000n);
    });
  }

  test("the watchdog is pinged while all is well, and only then", async (context) => {
    context.mock.timers.enable({ apis: ["setInterval"] });
    const address = `@ferryman-watchdog-${PID}`;
    using receiver = receiveDatagrams(address);
    let isHealthy = true;
    using watchdog = startWatchdog(() => isHealthy, { NOTIFY_SOCKET: address, WATCHDOG_USEC: "10000000" });
    assert.ok(watchdog);
    context.mock.timers.tick(4_999);
    assert.equal(receiver.receive(), undefined);
    context.mock.timers.tick(1);
    assert.equal(receiver.receive(), "WATCHDOG=1");
    isHealthy = false;
    context.mock.timers.tick(20_000);
    assert.equal(receiver.receive(), undefined);
    isHealthy = true;
    context.mock.timers.tick(5_000);
    assert.equal(receiver.receive(), "WATCHDOG=1");
  });

  test("nobody there is told as an outcome", () => {
    const outcome = notify({ kind: "ready" }, { NOTIFY_SOCKET: join(folder, "nobody") });
    assert.deepEqual(outcome, { told: false, reason: "sendto: ENOENT" });
    assert.match(JSON.stringify(notify({ kind: "ready" }, { NOTIFY_SOCKET: `/${"x".repeat(200)}` })), /ENAMETOOLONG/);
    rmSync(folder, { recursive: true });
  });
});

test("without a manager nothing is told", () => {
  assert.deepEqual(notify({ kind: "ready" }, {}), { told: false, reason: "no manager" });
  assert.equal(notify({ kind: "ready" }, { NOTIFY_SOCKET: "vsock:2:1" }).told, false);
});

test("a watchdog is awaited from the process it names alone", () => {
  assert.equal(watchdogInterval({ WATCHDOG_USEC: "30000000" }), 30_000);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: PID }), 30_000);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }), undefined);
  for (const strange of ["", "0", "-1", "1e9", "many"]) {
    assert.equal(watchdogInterval({ WATCHDOG_USEC: strange }), undefined, strange);
  }
});

test("sockets are taken by the process they are for, and once", () => {
  assert.deepEqual(activatedSockets({}), []);
  assert.deepEqual(activatedSockets({ LISTEN_PID: "1", LISTEN_FDS: "1" }), []);
  const mine = { LISTEN_PID: PID, LISTEN_FDS: "0", LISTEN_FDNAMES: "" };
  assert.deepEqual(activatedSockets(mine), []);
  assert.deepEqual(mine, {});
  for (const count of ["x", "-1", "65", "9999", "1.5"]) {
    assert.throws(() => activatedSockets({ LISTEN_PID: PID, LISTEN_FDS: count }), /LISTEN_FDS/, count);
  }
  // Whatever this process has from descriptor 3 on, it is not 64 sockets.
  assert.throws(() => activatedSockets({ LISTEN_PID: PID, LISTEN_FDS: "64" }), /no socket|not open/);
});
