/** What was the same for all clients of a run, in sentences for the page. */
import { count, networkOf } from "../conditions.ts";
import { MEBIBYTE } from "../ground.ts";
import type { ClientGround } from "./ground.ts";
import { FAR_WAY, SLOW_WAY } from "./tasks.ts";

export function conditions({ sizes, ground }: ClientGround, isolated: boolean): readonly string[] {
  const disk = ground.memory === "tmpfs" ? "a tmpfs" : "the disk: this run could mount nothing";
  return [
    networkOf(isolated),
    "servers: vsftpd and ours as on the page of the servers (performance.md), which run on; clients are started anew for each figure",
    "cost: a small program in C starts each client and asks the kernel for what it and its children cost (wait4); nothing looks at it while it runs",
    `large files: ${count(sizes.big / MEBIBYTE)} MiB, read once by the benchmark before each run; clients and uploads write to ${disk}`,
    `small files: 1 KiB each, in one folder; ${count(sizes.files)} with vsftpd, ${count(sizes.ownFiles)} with ours, ${count(sizes.secureFiles)} over TLS; figures are for one file, so that slow ways can be asked for a part: curl for 0.4 % by one connection and 10 % over TLS, aria2c for 2 %`,
    `mirror: ${count(sizes.tree)} empty files in ${count(sizes.treeFolders)} folders, here and there the same, 10 days old`,
    `the long way: a proxy of ours holds each connection's octets back. For segments ${SLOW_WAY.oneWayMs} ms each way, with ${count(SLOW_WAY.underWay / MEBIBYTE)} MiB under way at most for each connection, and a file of ${count(sizes.segmented / MEBIBYTE)} MiB; for round trips ${FAR_WAY.oneWayMs} ms each way and ${count(sizes.hauled)} files, start and login included. It does not hold back the opening of a connection: a real way has one round trip more for each data connection, with every client alike that waits for it`,
    "TLS: explicit, certificates not checked, data connections private; vsftpd demands that they resume the session",
    "whole: each download and upload is looked at afterwards; a client that ends well with less has no figure",
  ];
}
