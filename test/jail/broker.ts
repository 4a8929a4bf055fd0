/** A broker for tests: gives up all but what it needs, then starts a worker as nobody, and tells about all of it. */
import { once } from "node:events";
import { dirname } from "node:path";
import { startConfined } from "../../src/jail/confined-process.ts";
import { privilegeFacts } from "../../src/jail/privilege-facts.ts";
import { BROKER_CAPABILITIES, reexecute } from "../../src/jail/reexecute.ts";
import { activatedSockets } from "../../src/jail/systemd.ts";
import { NOBODY, PROBE } from "./worker.ts";

/** Behind a gap, where Node does not look for descriptors that it must not pass on. */
const STRAY_DESCRIPTOR = "40";

// What systemd does for the process that it starts.
if (process.env["LISTEN_PID"] === "self") process.env["LISTEN_PID"] = String(process.pid);
const outcome = reexecute({ keepCapabilities: BROKER_CAPABILITIES, descriptors: [3] });
const sockets = activatedSockets();
const child = startConfined({ script: PROBE, user: NOBODY, readOnly: [dirname(PROBE)] });
const gone = once(child, "exit");
await once(child, "message");
const worker = privilegeFacts(child.pid);
child.send({ what: "descriptor", path: STRAY_DESCRIPTOR });
const [stray]: unknown[] = await once(child, "message");
child.kill();
const [, signal]: unknown[] = await gone;
console.log(
  JSON.stringify({
    outcome,
    pid: process.pid,
    args: process.argv.slice(2),
    broker: privilegeFacts(),
    sockets,
    worker,
    stray,
    signal,
  }),
);
