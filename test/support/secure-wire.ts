/** FTP over TLS as bare as can be: a Wire whose control connection is secured, and data connections over TLS. */
import { once } from "node:events";
import { type TLSSocket, connect } from "node:tls";
import { Wire, readAll } from "./wire.ts";

/** The certificate is the server's own. */
const ANY = { rejectUnauthorized: false } as const;

export type SecureWire = Disposable & {
  readonly wire: Wire;
  readonly tls: TLSSocket;
  fetch(command: string): Promise<Buffer>;
  /** An upload that has begun. */
  beginStore(command: string): Promise<TLSSocket>;
  store(command: string, data: Buffer | string): Promise<readonly number[]>;
};

/** Connects, AUTH TLS, PBSZ, PROT P. */
export async function openSecure(port: number): Promise<SecureWire> {
  const plain = await Wire.open(port);
  await plain.expect(234, "AUTH TLS");
  const tls = connect({ socket: plain.socket, ...ANY });
  await once(tls, "secureConnect");
  const wire = Wire.over(tls);
  await wire.expect(200, "PBSZ 0");
  await wire.expect(200, "PROT P");
  const dataOf = async (): Promise<TLSSocket> => {
    const socket = await wire.passive();
    const session = tls.getSession();
    const data = connect({ socket, ...ANY, ...(session === undefined ? {} : { session }) });
    data.on("error", () => {});
    return data;
  };
  return {
    wire,
    tls,
    async fetch(command) {
      const data = await dataOf();
      const all = readAll(data);
      await wire.expect(150, command);
      const octets = await all;
      await wire.expect(226);
      return octets;
    },
    async beginStore(command) {
      const data = await dataOf();
      await wire.expect(150, command);
      return data;
    },
    async store(command, octets) {
      const data = await dataOf();
      wire.send(command);
      const opening = await wire.reply();
      data.end(octets);
      data.resume();
      return [opening.code, (await wire.reply()).code];
    },
    [Symbol.dispose]() {
      tls.destroy();
      plain.socket.destroy();
    },
  };
}

export async function loginSecure(port: number): Promise<SecureWire> {
  const secure = await openSecure(port);
  await secure.wire.expect(331, "USER ann");
  await secure.wire.expect(230, "PASS secret");
  return secure;
}
