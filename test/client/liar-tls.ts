/** TLS of the liar: which certificate and versions, and whether a data connection can resume the session of the control. */
import { constants, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { type SecureContext, TLSSocket, createSecureContext } from "node:tls";
import type { KeyPair } from "../../src/net/tls/session.ts";
import { pairFor } from "../support/tls.ts";

export type LiarTls = {
  /** Default "explicit". */
  readonly kind?: "explicit" | "implicit";
  /** Default: one that vouches for itself, for localhost and 127.0.0.1. */
  readonly pair?: KeyPair;
  readonly version?: "TLSv1.2" | "TLSv1.3";
  /** false: no session can be resumed. */
  readonly tickets?: boolean;
  /** Data connections have this certificate, and resume nothing. */
  readonly dataPair?: KeyPair;
};

/** Octets of ticket keys, as Node wants them. */
const TICKET_KEYS = 48;
let usual: KeyPair | undefined;

export class LiarContexts {
  readonly #control: SecureContext;
  readonly #data: SecureContext;

  constructor(terms: LiarTls) {
    this.#control = contextOf(terms, terms.pair ?? (usual ??= pairFor("localhost", "127.0.0.1")));
    this.#data = terms.dataPair === undefined ? this.#control : contextOf(terms, terms.dataPair);
  }

  async secureControl(stream: Duplex): Promise<TLSSocket> {
    return handshake(stream, this.#control);
  }

  async secureData(stream: Duplex): Promise<TLSSocket> {
    return handshake(stream, this.#data);
  }
}

function contextOf({ version, tickets }: LiarTls, { cert, key }: KeyPair): SecureContext {
  return createSecureContext({
    cert,
    key,
    minVersion: version ?? "TLSv1.2",
    ...(version === undefined ? {} : { maxVersion: version }),
    sessionIdContext: "liar",
    ticketKeys: randomBytes(TICKET_KEYS),
    secureOptions: tickets === false ? constants.SSL_OP_NO_TICKET : 0,
  });
}

/** The server's side. @throws where the client breaks it off. */
async function handshake(stream: Duplex, secureContext: SecureContext): Promise<TLSSocket> {
  const secured = new TLSSocket(stream, { isServer: true, secureContext });
  secured.on("error", () => {});
  const done = new AbortController();
  const { signal } = done;
  try {
    await Promise.race([
      once(secured, "secure", { signal }),
      ...[once(secured, "close", { signal }), once(stream, "ended", { signal }), once(stream, "close", { signal })].map(
        async (end) => {
          await end;
          throw new Error("closed during the handshake");
        },
      ),
    ]);
  } finally {
    done.abort();
  }
  return secured;
}
