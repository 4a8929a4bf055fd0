import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../octets.ts";
import type { ListedEntry } from "./entry.ts";
import { ListingReader } from "./reader.ts";

const NOW = Date.UTC(2024, 5, 15, 12);

/** All lines of one listing, and what was left at its end. */
function readAll(...lines: readonly string[]): readonly unknown[] {
  const reader = new ListingReader({ kind: "list", now: NOW });
  const found = lines.map((line) => reader.line(joined(line)));
  const rest = reader.finish();
  assert.equal(reader.finish(), undefined, "the rest is told once");
  return [...found, ...(rest === undefined ? [] : [rest])].map((each) =>
    typeof each === "string" ? each : withoutGaps(each),
  );
}

function withoutGaps(entry: ListedEntry): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

function at(
  precision: "second" | "minute" | "day",
  ...[month, day, hours = 0, minutes = 0, seconds = 0]: readonly number[]
): ListedEntry["time"] {
  return { ms: Date.UTC(2024, (month ?? 1) - 1, day, hours, minutes, seconds), precision, zone: "server" };
}

const MINUTE = at("minute", 1, 31, 12, 34);
const SECOND = at("second", 1, 31, 12, 34, 56);
const DAY = at("day", 1, 31);

test("OpenVMS, in one line and in two", () => {
  const found = readAll(
    "Directory DISK$USER:[ANN]",
    "",
    "REPORT.TXT;12            9/12   31-JAN-2024 12:34:56.78  [STAFF,ANN]  (RWED,RWED,RE,)",
    "REPORT.TXT;11            9      31-JAN-2024 12:34  [ANN]  (RWED,RWED,RE,)",
    "MAIL.DIR;1               1/3    31-JAN-2024 12:34  [STAFF, ANN]  (RWE,RWE,RE,)",
    "A_NAME_THAT_LEAVES_NO_ROOM_FOR_THE_REST.DATA;1",
    "                         2KB    31-JAN-2024 12:34  [1,2]",
    "SIZE.ONLY;1   7",
    "DATE.ONLY;1   31-JAN-2024",
    "NO.SIZE;1     -   31-JAN-2024 12:34",
    "BIG.ONE;1     1MB/2MB   31-JAN-2024 12:34",
    "SECRET.TXT;3  %RMS-E-PRV, insufficient privilege or file protection violation",
    "",
    "Total of 12 files, 345/678 blocks.",
    "Grand total of 2 directories, 12 files.",
  );
  assert.deepEqual(found, [
    "ignored",
    "ignored",
    { name: "REPORT.TXT", type: "file", roughSize: 9 * 512, time: SECOND, owner: "ANN", group: "STAFF" },
    { name: "REPORT.TXT;11", type: "file", roughSize: 9 * 512, time: MINUTE, owner: "ANN" },
    { name: "MAIL", type: "directory", time: MINUTE, owner: "ANN", group: "STAFF" },
    "ignored",
    {
      name: "A_NAME_THAT_LEAVES_NO_ROOM_FOR_THE_REST.DATA",
      type: "file",
      roughSize: 2048,
      time: MINUTE,
      owner: "2",
      group: "1",
    },
    { name: "SIZE.ONLY", type: "file", roughSize: 7 * 512 },
    { name: "DATE.ONLY", type: "file", time: DAY },
    { name: "NO.SIZE", type: "file", time: MINUTE },
    { name: "BIG.ONE", type: "file", roughSize: 1_048_576, time: MINUTE },
    { name: "SECRET.TXT", type: "file" },
    "ignored",
    "ignored",
    "ignored",
  ]);
});

test("OpenVMS: no name is lost where its second line does not come", () => {
  const found = readAll("A.TXT;1", "B.DIR;1", "C.TXT;1  5 31-JAN-2024", "nonsense", "Total of 3 files.");
  assert.deepEqual(found, [
    "ignored",
    { name: "A.TXT", type: "file" },
    { name: "B", type: "directory" },
    "unknown",
    "ignored",
    { name: "C.TXT", type: "file", roughSize: 2560, time: DAY },
  ]);
  assert.deepEqual(readAll("A.TXT;1"), ["ignored", { name: "A.TXT", type: "file" }]);
  assert.deepEqual(readAll("A.TXT;1 what is this", "A.TXT;1x", `Directory ${":".repeat(600)}`), [
    "unknown",
    "unknown",
    "unknown",
  ]);
});

test("data sets of z/OS", () => {
  const found = readAll(
    "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname",
    "VOL001 3390   2024/01/31  1   15  FB      80  6160  PO  ANN.JCL",
    "VOL001 3390   2024/01/31  1   15  VB      80  6160  PS  'SYS1.LOG'",
    "VOL001 3390   2024/01/31213000 U       0 27998  PO  NOT.THIS",
    "VOL001 3390   2024/01/31 213000 U       0 27998  PO-E  ANN.LOAD",
    "VOL001 3390   **NONE**    1   15  ?        0     0 NONE NEW.ONE",
    "VOL001 3390                                        VSAM ANN.KEYS",
    "                                                   GDG  ANN.LOGS",
    "Migrated                                                OLD.ONE",
    "V43525 Tape                                             ON.TAPE",
    "ARCIVE Not Direct Access Device                         FAR.ONE",
    "Pseudo Directory                                        ANN.PART",
    "User catalog connector                                  UCAT.X",
  );
  assert.deepEqual(found, [
    "ignored",
    { name: "ANN.JCL", type: "directory", time: DAY },
    { name: "SYS1.LOG", type: "file", time: DAY },
    "unknown",
    { name: "ANN.LOAD", type: "directory", time: DAY },
    { name: "NEW.ONE", type: "file" },
    { name: "ANN.KEYS", type: "file" },
    { name: "ANN.LOGS", type: "file" },
    { name: "OLD.ONE", type: "file" },
    { name: "ON.TAPE", type: "file" },
    { name: "FAR.ONE", type: "file" },
    { name: "ANN.PART", type: "directory" },
    { name: "UCAT.X", type: "file" },
  ]);
});

test("members of a partitioned data set", () => {
  const members = readAll(
    " Name     VV.MM   Created       Changed      Size  Init   Mod   Id",
    "COMPILE   01.03 2024/01/30 2024/01/31 12:34    15    10     2 ANN",
    "LINK      01.00 2024/01/30 2024/01/31 12:34:56    15    10     2 ANN",
    "$BARE",
    "COMPILE   01.03 2024/01/30 2024/13/31 12:34    15    10     2 ANN",
    "COMPILE   01.03 2024/01/30 2024/01/31 25:34    15    10     2 ANN",
    "COMPILE   1.3 2024/01/30",
    "NAME_OF_9",
  );
  assert.deepEqual(members, [
    "ignored",
    { name: "COMPILE", type: "file", time: MINUTE },
    { name: "LINK", type: "file", time: SECOND },
    { name: "$BARE", type: "file" },
    "unknown",
    "unknown",
    "unknown",
    "unknown",
  ]);
  const modules = readAll(
    " Name      Size     TTR   Alias-of AC --------- Attributes --------- Amode Rmode",
    "LOADER    03DBD8   031506 OTHER    01 FO             RN RU            31    24",
    "LOADER2   000710   03370C          00 FO                              31    ANY",
    "BARE",
  );
  assert.deepEqual(modules, [
    "ignored",
    { name: "LOADER", type: "file", roughSize: 0x3dbd8 },
    { name: "LOADER2", type: "file", roughSize: 0x710 },
    "unknown",
  ]);
});

test("jobs of z/OS", () => {
  const job = "ANN1     JOB00123 ANN      OUTPUT A        RC=0000 4 spool files";
  const found = readAll(job, "JOBNAME  JOBID    OWNER    STATUS CLASS", job, "ANN1     FOO00123 ANN      OUTPUT A");
  assert.deepEqual(found, ["unknown", "ignored", { name: "JOB00123", type: "file", owner: "ANN" }, "unknown"]);
});

test("lines that are nearly of z/OS", () => {
  const lines = [
    "VOLUME01 3390   2024/01/31  1   15  FB      80  6160  PO  ANN.JCL",
    "VOL001 disk   2024/01/31  1   15  FB      80  6160  PO  ANN.JCL",
    "VOL001 3390   2024/01/31  1   15  FB      80  6160  XX  ANN.JCL",
    "VOL001 3390   yesterday   1   15  FB      80  6160  PO  ANN.JCL",
    "VOL001 3390   2024/01/31  1   15  FB      80  6160  PO  ann/jcl",
    "1 2 3 4 5 6 7 8 9 10 11 12 13",
    "\t",
  ];
  assert.deepEqual(readAll(...lines), ["unknown", "unknown", "unknown", "unknown", "unknown", "unknown", "ignored"]);
});

test("OS/400", () => {
  const found = readAll(
    "QSYS            77824 01/31/24 12:34:56 *DIR       a folder/",
    "ANN             36864 31.01.24 12:34:56 *FILE      ANN.FILE",
    "ANN                                     *MEM       ANN.FILE/A.MBR",
    "ANN              4096 01/31/24 12:34:56 *LIB       ANN.LIB",
    "ANN              4096 01/31/24 12:34:56 *STMF      a file",
    "ANN              4096 yesterday 12:34:56 *STMF      a file",
    "ANN              many 01/31/24 12:34:56 *STMF      a file",
    "ANN              4096 *STMF      a file",
  );
  assert.deepEqual(found, [
    { name: "a folder", type: "directory", time: SECOND, owner: "QSYS" },
    { name: "ANN.FILE", type: "file", roughSize: 36_864, time: SECOND, owner: "ANN" },
    { name: "ANN.FILE/A.MBR", type: "file", owner: "ANN" },
    { name: "ANN.LIB", type: "directory", time: SECOND, owner: "ANN" },
    { name: "a file", type: "file", size: 4096, time: SECOND, owner: "ANN" },
    "unknown",
    "unknown",
    "unknown",
  ]);
});

test("z/VM", () => {
  const found = readAll(
    "PROFILE  EXEC     F         80          5          1 2024-01-31 12:34:56 ANN",
    "PROFILE  XEDIT    V         72          5          1 2024-01-31 12:34:56 -",
    "README   TXT      F         80          5          1  1/31/24 12:34:56",
    "MAIL     DIR      -          -          -          - 2024-01-31 12:34:56 -",
    "MAIL     NEXT     DIR        -          -          - 2024-01-31 12:34:56 ANN",
    "README   TXT      X         80          5          1  1/31/24 12:34:56",
    "README   TXT      F         ab          5          1  1/31/24 12:34:56",
    "README   TXT      F         80          5          1  1/31/24 noon",
    "README   TXT      F         80          5          1  1/31/24 12:34:56 ANN MORE",
  );
  assert.deepEqual(found, [
    { name: "PROFILE.EXEC", type: "file", size: 400, time: SECOND, owner: "ANN" },
    { name: "PROFILE.XEDIT", type: "file", time: SECOND },
    { name: "README.TXT", type: "file", size: 400, time: SECOND },
    { name: "MAIL", type: "directory", time: SECOND },
    { name: "MAIL", type: "directory", time: SECOND, owner: "ANN" },
    "unknown",
    "unknown",
    "unknown",
    "unknown",
  ]);
});

test("NonStop and OS-9", () => {
  const found = readAll(
    "File         Code             EOF  Last Modification    Owner  RWEP",
    'REPORT        101             528  31-Jan-24 12:34:56 255, 12 "oooo"',
    'REPORT   O    101             528  31-Jan-24 12:34:56 255,12 "nunu"',
    'REPORT        101             528  31-Jan-24 12:34:56 ann "nunu"',
    'REPORT        code            528  31-Jan-24 12:34:56 255,12 "nunu"',
    'REPORT        101             big  31-Jan-24 12:34:56 255,12 "nunu"',
    'REPORT        101             528  31-Foo-24 12:34:56 255,12 "nunu"',
    " Directory of . 12:34:56",
    " Owner    Last modified   Attributes Sector Bytecount Name",
    "-------   -------------   ---------- ------ --------- ----",
    "  20.21   24/01/31 1234   d-ewrewr     2650     85920 a folder",
    "   0.1    24/01/31 1234   ------wr       1F       280 a file",
    "   0.1    31.01.24 1234   ------wr       1F       280 a file",
    "   0.1    24/01/31 12:34   ------wr       1F       280 a file",
    "     1    24/01/31 1234   ------wr       1F       280 a file",
    "   0.1    24/01/31 1234   -rw-rw-r       1F       280 a file",
    "   0.1    24/01/31 1234   ------wr       XF       280 a file",
    "   0.1    24/01/31 1234   ------wr       1F       big a file",
    "   0.1    24/01/31 1234   ------wr       1F",
  );
  const owner = { owner: "12", group: "255" };
  assert.deepEqual(found.slice(0, 3), [
    "ignored",
    { name: "REPORT", type: "file", size: 528, time: SECOND, ...owner },
    { name: "REPORT", type: "file", size: 528, time: SECOND, ...owner },
  ]);
  assert.deepEqual(found.slice(3, 7), ["unknown", "unknown", "unknown", "unknown"]);
  assert.deepEqual(found.slice(7), [
    "ignored",
    "ignored",
    "ignored",
    { name: "a folder", type: "directory", time: MINUTE, owner: "21", group: "20" },
    { name: "a file", type: "file", size: 280, time: MINUTE, owner: "1", group: "0" },
    { name: "a file", type: "file", size: 280, owner: "1", group: "0" },
    { name: "a file", type: "file", size: 280, owner: "1", group: "0" },
    "unknown",
    "unknown",
    "unknown",
    "unknown",
    "unknown",
  ]);
});

function folder(time: ListedEntry["time"]): object {
  return { name: "a folder", type: "directory", time };
}

function file(size: number, time: ListedEntry["time"]): object {
  return { name: "a file", type: "file", size, time };
}

test("OS/2, VxWorks and VShell: the size stands first", () => {
  const found = readAll(
    "          73098      A          01-31-24   12:34  a file",
    "              0           DIR   01-31-24   12:34  a folder",
    "              0      A R  DIR   01-31-124  12:34  a folder",
    "             12                 01-31-124  12:34  a file",
    "  size          date       time       name",
    "--------       ------     ------    --------",
    "    2048    Jan-31-2024  12:34:56   a folder     <DIR>",
    "    2048    Jan-31-2024  12:34:56   a file",
    "  206876  Jan 31, 2024 12:34 a file",
    "       0  Jan 31, 2024 12:34 a folder/",
    "  206876  Jan 31  2024  12:34 a file",
    "  206876  Jan 31 12:34 a file",
    "  206876  Jan 31 2024 a file",
    "  206876  a file",
    "  206876  Jan 31, 2024 12:34",
  );
  assert.deepEqual(found, [
    file(73_098, MINUTE),
    folder(MINUTE),
    folder(MINUTE),
    file(12, MINUTE),
    "ignored",
    "ignored",
    folder(SECOND),
    file(2048, SECOND),
    file(206_876, MINUTE),
    folder(MINUTE),
    file(206_876, MINUTE),
    file(206_876, MINUTE),
    "unknown",
    "unknown",
    "unknown",
  ]);
});

test("Chameleon, SuperTCP and wfFTP: the name stands first", () => {
  const found = readAll(
    "REPORT.TXT      11264     Jan 31 2024 12:34",
    "MAIL            <DIR>     Jan 31 2024 12:34",
    ".               <DIR>     01-31-24    12:34",
    "REPORT.TXT      11264     01-31-24    12:34",
    "REPORT.TXT      11264     01/31/24  Mo.  12:34",
    "REPORT.TXT      11264     01-31-24    12:34  and more",
    "REPORT.TXT      many      01-31-24    12:34",
    "REPORT.TXT      11264     today",
  );
  const report = { name: "REPORT.TXT", type: "file", size: 11_264, time: MINUTE };
  assert.deepEqual(found, [
    report,
    { name: "MAIL", type: "directory", time: MINUTE },
    { name: ".", type: "this", time: MINUTE },
    report,
    report,
    "unknown",
    "unknown",
    "unknown",
  ]);
});
