/**
 * Fetches the FTP servers of Debian that the client is tested with. They conflict with each other, so none is installed:
 * they are unpacked for the tests alone. A failure costs the tests that need them, never the set-up.
 */
import { debianPeers } from "../bench/peers/debian.ts";

const reason = await debianPeers();
if (reason !== undefined) {
  console.error(`Not to be had: the FTP servers of Debian (${reason}). Skipped for that: the client against them.`);
}
