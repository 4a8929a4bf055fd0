/** MODE (RFC 959 §3.4) as transfers meet it: S sends octets as they are, Z deflates them on the way. */
import { DeflatedConnection, takeCodingPlace } from "../net/deflated-connection.ts";
import type { DataTransport } from "../net/transport.ts";
import { Refusal } from "./errors.ts";
import type { SignedIn } from "./session.ts";

type Mode = Pick<SignedIn, "mode" | "deflateLevel">;

/** For as long as the transfer. @throws {Refusal} 450 when as many are compressed as may be at once. */
export function takeModePlace({ mode }: Mode): Disposable | undefined {
  if (mode === "stream") return undefined;
  const place = takeCodingPlace();
  if (place !== undefined) return place;
  throw new Refusal(450, "Too many compressed transfers are under way: try again, or send MODE S first.");
}

/** @returns what owns the connection from here on: itself for MODE S. */
export function inMode(connection: DataTransport, { mode, deflateLevel }: Mode): DataTransport {
  return mode === "stream" ? connection : new DeflatedConnection(connection, { level: deflateLevel });
}

/** For people. */
export function modeName({ mode, deflateLevel }: Mode): string {
  return mode === "stream" ? "Stream" : `Deflate (zlib level ${deflateLevel})`;
}
