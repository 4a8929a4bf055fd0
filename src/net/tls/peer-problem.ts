/**
 * What is wrong with the certificate that a client has shown. Node puts it into `authorized` for sockets that its own
 * tls.Server makes, and leaves it false for all others; so OpenSSL's verdict is taken from where Node itself takes it.
 */
import type { TLSSocket } from "node:tls";

/**
 * @param socket server side, its handshake done, the peer's certificate there.
 * @returns undefined when an authority stands for the certificate, it is in force and not revoked; else OpenSSL's name for
 * what is wrong. A verdict that cannot be had counts as a problem.
 */
export function problemOfPeer(socket: TLSSocket): string | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  const verify: unknown =
    typeof handle === "object" && handle !== null ? Reflect.get(handle, "verifyError") : undefined;
  if (typeof verify !== "function") return "the certificate could not be checked";
  const verdict: unknown = Reflect.apply(verify, handle, []);
  if (verdict === null) return undefined;
  const code: unknown = typeof verdict === "object" && verdict !== undefined ? Reflect.get(verdict, "code") : undefined;
  return typeof code === "string" ? code : "the certificate could not be checked";
}
