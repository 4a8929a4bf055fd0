/** A server in a process of its own, for tests with networks of their own: says its URL, and ends with standard input. */
import { PEER_NAMES, startPeer } from "./peers.ts";

const [wanted, host = "127.0.0.1", ...lines] = process.argv.slice(2);
const name = PEER_NAMES.find((each) => each === wanted);
if (name === undefined) throw new Error(`${wanted} is no server`);
await using peer = await startPeer(name, { host, lines });
process.stdout.write(`${peer.url()}\n`);
for await (const _ of process.stdin);
