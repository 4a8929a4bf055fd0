/** Servers that misbehave on data connections: orders of things, halves, wrong sizes and times. */
import { suite, test } from "node:test";
import { ACTS, type CaseTable, HASTY, aboutReplies, WITHOUT_SIZE, lying, tryOut } from "./unharmed.ts";

const { get, list, put, putLarge, putWithoutEnd } = ACTS;

const ORDERS: CaseTable = {
  "226 before the data": lying(
    { steps: { RETR: ["opening", "connect", "closing", "data", "end"] } },
    { act: get, ends: "well" },
  ),
  "150 and 226 before the connection": lying(
    { steps: { RETR: ["opening", "closing", "connect", "data", "end"] } },
    { act: get },
  ),
  "data, and 150 and 226 after it": lying(
    { steps: { RETR: ["connect", "data", "end", "opening", "closing"] } },
    { act: get },
  ),
  "150 never": lying({ steps: { RETR: ["connect", "data", "end", "closing"] } }, { act: get, options: HASTY }),
  "226 never": lying(
    { steps: { RETR: ["opening", "connect", "data", "end", "hang"] } },
    { act: get, options: HASTY, callMs: 1_000 },
  ),
  "226 never, after an upload": lying(
    { steps: { STOR: ["opening", "connect", "data", "end", "hang"] } },
    { act: put, options: HASTY, callMs: 1_000 },
  ),
  "more data after 226": lying(
    { steps: { RETR: ["opening", "connect", "data", "closing", "data", "end"] } },
    { act: get, ends: ["MISMATCH", "PROTOCOL"] },
  ),
  "226 and no data": lying(
    { steps: { RETR: ["opening", "closing"] } },
    { act: get, options: HASTY, ends: ["MISMATCH", "STALLED", "TIMEOUT", "RESET", "DATA_BLOCKED"] },
  ),
  "half of the data, 226": lying(
    { steps: { RETR: ["opening", "connect", "half", "end", "closing"] } },
    { act: get, ends: ["MISMATCH"] },
  ),
  "half of the data, and a reset": lying(
    { steps: { RETR: ["opening", "connect", "half", "reset", "closing"] } },
    { act: get },
  ),
  "half of the data, a reset, 226, and no sizes": lying(
    { ...WITHOUT_SIZE, steps: { RETR: ["opening", "connect", "half", "reset", "closing"] } },
    { act: get, ends: ["RESET", "MISMATCH"] },
  ),
  "half of the data, and silence": lying(
    { steps: { RETR: ["opening", "connect", "half", "deaf"] } },
    { act: get, options: HASTY, ends: ["STALLED", "TIMEOUT"] },
  ),
  "half of a listing, and silence": lying(
    { steps: { MLSD: ["opening", "connect", "half", "hang"] } },
    { act: list, options: HASTY, ends: ["STALLED", "TIMEOUT"] },
  ),
  "half of a listing, and a reset": lying(
    { steps: { MLSD: ["opening", "connect", "half", "reset", "closing"] } },
    { act: list, ends: ["RESET"] },
  ),
  "a listing that ends with 451": aboutReplies(
    { "MLSD end": { say: "451 Local error.\r\n" } },
    { act: list, ends: ["BUSY", "RESET", "PROTOCOL", "DENIED", "NOT_FOUND"] },
  ),
  "an upload of which half is taken, 226": lying(
    { steps: { STOR: ["opening", "connect", "half", "end", "closing"] } },
    { act: putLarge, options: HASTY, callMs: 3_000 },
  ),
  "an upload of which half is taken, a reset, 226": lying(
    { steps: { STOR: ["opening", "connect", "half", "reset", "closing"] } },
    { act: putLarge, options: HASTY, ends: ["RESET", "MISMATCH", "STALLED"] },
  ),
  "an upload that is never read": lying(
    { steps: { STOR: ["opening", "connect", "deaf"] } },
    { act: putWithoutEnd, options: HASTY, ends: ["STALLED", "TIMEOUT"] },
  ),
  "an upload that ends with 552": aboutReplies(
    { "STOR end": { say: "552 Too much.\r\n" } },
    { act: put, ends: ["QUOTA", "NO_SPACE"] },
  ),
  "each octet of the data by itself": lying({ splitData: true }, { act: get, ends: "well" }),
};

const SIZES: CaseTable = Object.fromEntries(
  ["5", "24", "-1", "1e9", "99999999999999999999999", "x", ""].map((size) => [
    `SIZE says "${size}" of 23 octets`,
    aboutReplies({ SIZE: { say: `213 ${size}\r\n` }, MLST: { say: "500 What?\r\n" } }, { act: get }),
  ]),
);

const TIMES: CaseTable = Object.fromEntries(
  ["", "x", "20249999999999", "00000000000000", "99991231235959.999", "19700101000000"].map((time) => [
    `MDTM says "${time}"`,
    aboutReplies({ MDTM: { say: `213 ${time}\r\n` }, MLST: { say: "500 What?\r\n" } }, { act: get }),
  ]),
);

for (const [name, table] of Object.entries({ orders: ORDERS, sizes: SIZES, times: TIMES })) {
  suite(name, { concurrency: false }, () => {
    for (const [what, one] of Object.entries(table)) test(what, async () => void (await tryOut(one)));
  });
}
