/** All servers, in the order of the tables. */
import { ferryman, ferrymanOne } from "./ferryman.ts";
import { ftpSrv } from "./ftp-srv.ts";
import type { Peer } from "./peer.ts";
import { proftpd } from "./proftpd.ts";
import { pureFtpd } from "./pure-ftpd.ts";
import { pyftpdlib } from "./pyftpdlib.ts";
import { vsftpd, vsftpdDefault } from "./vsftpd.ts";

export const PEERS: readonly Peer[] = [
  ferryman,
  ferrymanOne,
  vsftpd,
  vsftpdDefault,
  pureFtpd,
  proftpd,
  pyftpdlib,
  ftpSrv,
];
/** Of `--quick`: the ones that the targets are about. */
export const QUICK_PEERS: ReadonlySet<string> = new Set(["ferryman", "vsftpd", "pure-ftpd", "proftpd"]);
