/** EPLF, the format of publicfile and anonftpd: `+i8388621.29609,m824255902,/,<TAB>name`. Its times are in UTC. */
import type { ByteString } from "../../base/bytes.ts";
import { joined } from "../octets.ts";
import { type Format, listedEntry } from "./entry.ts";
import { exactNumber } from "./words.ts";

export const eplfFormat: Format = (line) => {
  const tab = line.indexOf("\t");
  if (!line.startsWith("+") || tab === -1) return undefined;
  let kind: "file" | "directory" | "other" = "other";
  let size: number | undefined;
  let seconds: number | undefined;
  let mode: number | undefined;
  let unique: ByteString | undefined;
  for (const fact of line.slice(1, tab).split(",")) {
    const value = fact.slice(1);
    if (fact === "/") kind = "directory";
    else if (fact === "r") kind = "file";
    else if (fact.startsWith("s")) size = exactNumber(value);
    else if (fact.startsWith("m")) seconds = exactNumber(value);
    else if (fact.startsWith("i")) unique = joined(value);
    else if (/^up[0-7]{1,4}$/.test(fact)) mode = Number.parseInt(fact.slice(2), 8);
  }
  const time =
    seconds === undefined || seconds > LAST_SECOND
      ? undefined
      : ({ ms: seconds * 1000, precision: "second", zone: "utc" } as const);
  return listedEntry(line.slice(tab + 1), kind, { size, time, mode, unique });
};

/** The end of the year 9999. */
const LAST_SECOND = 253_402_300_799;
