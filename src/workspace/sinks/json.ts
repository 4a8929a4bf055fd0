/** One JSON object per line and event, for machines. What is written can be read back without loss. */
import { type ByteString, bytesOf, bytesOfText, octetsOf, textOf } from "../../base/bytes.ts";
import { isUtf8 } from "../../protocol/octets.ts";
import type { FerrymanEvent } from "../events.ts";

/**
 * Members that hold octets of a client, at any depth. Written as UTF-8 text; where the octets are none, U+FFFD stands
 * for them, and a member of the name with `Bytes` at its end has the octets in base64.
 */
const OCTET_MEMBERS: ReadonlySet<string> = new Set(["argument", "name", "path", "to", "target"]);
const BYTES = "Bytes";

/** The event with `time`, its `at` in ISO 8601 UTC for people. Without a line end; nothing in it speaks to a terminal. */
export function jsonLine(event: FerrymanEvent): string {
  return escaped(JSON.stringify({ time: new Date(event.at).toISOString(), ...withText(event) }));
}

/** Says how many lines are lost before this one. */
export function jsonLossLine(lines: number, at: number): string {
  return JSON.stringify({ time: new Date(at).toISOString(), type: "log.dropped", lines, at });
}

/** The event that `jsonLine` wrote. @throws {SyntaxError} for what is no JSON object. Members are not checked. */
export function parseJsonLine(line: string): FerrymanEvent {
  const value: unknown = JSON.parse(line);
  if (!isRecord(value)) throw new SyntaxError("not an event");
  const { time: _time, ...event } = withOctets(value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own writing, and a reader of logs checks `type`
  return event as FerrymanEvent;
}

type Members = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withText(members: Members): Members {
  const texts: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(members)) {
    if (OCTET_MEMBERS.has(key) && typeof value === "string") {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what these members are, see above
      const octets = value as ByteString;
      texts[key] = textOf(octets);
      if (!isUtf8(octets)) texts[`${key}${BYTES}`] = octetsOf(octets).toString("base64");
    } else texts[key] = isRecord(value) ? withText(value) : value;
  }
  return texts;
}

function withOctets(members: Members): Members {
  const octets: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(members)) {
    if (OCTET_MEMBERS.has(key) && typeof value === "string") {
      const base64 = members[`${key}${BYTES}`];
      octets[key] = typeof base64 === "string" ? bytesOf(Buffer.from(base64, "base64")) : bytesOfText(value);
    } else if (!isBytesOf(key)) octets[key] = isRecord(value) ? withOctets(value) : value;
  }
  return octets;
}

function isBytesOf(key: string): boolean {
  return key.endsWith(BYTES) && OCTET_MEMBERS.has(key.slice(0, -BYTES.length));
}

/** JSON.stringify leaves DEL, C1 controls, line separators and direction marks as they are. They stand in strings alone. */
function escaped(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
