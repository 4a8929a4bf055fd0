/** A client for another network namespace: signs in, and tells as JSON from where the active data connection came. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { Wire, listenLocally, readAll } from "./wire.ts";

const port = Number(process.argv[2]);
using wire = await Wire.login(port);
const { server, port: own } = await listenLocally();
const accepted = once(server, "connection");
await wire.expect(200, `PORT 127,0,0,1,${own >> 8},${own & 255}`);
await wire.expect(150, "NLST");
const [socket]: Socket[] = await accepted;
if (socket === undefined) throw new Error("nobody came");
const from = { address: socket.remoteAddress, port: socket.remotePort };
const names = (await readAll(socket)).toString();
await wire.expect(226);
server.close();
process.stdout.write(JSON.stringify({ from, names }));
