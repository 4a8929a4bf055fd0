/** What systemd hands over and hears (sd_listen_fds(3), sd_notify(3)), with the real `ferryman serve`. */
import assert from "node:assert/strict";
import { type Server, createServer } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import { receiveDatagrams } from "../../src/jail/test-tools.ts";
import { loadProcessCalls } from "../../src/sys/process-calls.ts";
import { until } from "../support/attack.ts";
import { listening } from "../support/ports.ts";
import { elsewhere, inWorker, makePlace, startServe } from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

const skip = elsewhere || (loadProcessCalls() === undefined && "needs koffi to hear datagrams");

/** The descriptor of a listener, which Node shows on its handle alone. */
function descriptorOf(server: Server): number {
  const handle: unknown = Reflect.get(server, "_handle");
  assert.ok(typeof handle === "object" && handle !== null);
  return Number(Reflect.get(handle, "fd"));
}

suite("under a service manager", { skip }, () => {
  test("its socket is served by all workers; it hears READY, RELOADING and STOPPING", async () => {
    await using place = await makePlace();
    const address = join(place.folder, "notify");
    using receiver = receiveDatagrams(address);
    const listener = createServer();
    const port = await listening(listener);
    await using served = await startServe({
      place,
      socket: descriptorOf(listener),
      through: ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"],
      env: { LISTEN_FDS: "1", LISTEN_FDNAMES: "ftp", NOTIFY_SOCKET: address },
    });
    // What the unit opened replaces what is configured. Ours must not take the clients.
    listener.close();
    assert.deepEqual(served.ports, [port]);
    for (const pid of served.workers()) {
      using own = await inWorker(served, { pid, open: async (): Promise<Wire> => Wire.login(port) });
      assert.equal((await own.fetch("NLST")).codes.at(-1), 226);
    }
    const heard: string[] = [];
    const hears = async (what: RegExp): Promise<void> =>
      until(String(what), () => {
        for (let next = receiver.receive(); next !== undefined; next = receiver.receive()) heard.push(next);
        return what.test(heard.join("\n"));
      });
    await hears(/^READY=1$/);
    served.signal("SIGHUP");
    await hears(/^READY=1\nRELOADING=1\nMONOTONIC_USEC=\d+\nREADY=1$/);
    using wire = await Wire.login(port);
    await wire.expect(200, "NOOP");
    served.signal("SIGTERM");
    await hears(/STOPPING=1$/);
    assert.equal((await served.exited).code, 0);
  });
});
