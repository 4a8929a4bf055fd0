/** The client against real servers: each of them, in each data mode, in clear, over each TLS version and with TLS from the start. */
import { matrixOf } from "./matrix.ts";
import { PEER_NAMES } from "./peers.ts";

for (const name of PEER_NAMES) matrixOf(name);
