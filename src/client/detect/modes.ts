/** Which data modes work with a server: each tried on its own, in a session of its own, by listing the home. */
import { sameAddress, showEndpoint } from "../../net/addresses.ts";
import { parse227, parse229, parseEprt, parsePort } from "../../protocol/host-port.ts";
import { DATA_MODES, type DataMode, FtpError } from "../errors.ts";
import { isPrivateAddress } from "../external-address.ts";
import { allowsActive } from "../proxy.ts";
import type { Profile } from "../profile.ts";
import type { ConnectOptions } from "../types.ts";
import { joinedSignal } from "../waits.ts";
import { MODE_MS, PORT_MS } from "./limits.ts";
import { type Probe, fetchListing, probing } from "./probe-session.ts";

export type ModeResult = Profile["modes"][number];
export type ModeFindings = {
  readonly results: readonly ModeResult[];
  /** Whether data connections resumed the TLS session; undefined without TLS. */
  readonly resumes: boolean | undefined;
  readonly warnings: readonly string[];
};

export type ModeQuestion = {
  /** The control connection goes by IPv6, for which PASV and PORT have no words (RFC 2428 §1). */
  readonly isIpv6: boolean;
  readonly onStep: (what: string) => void;
};

/** @throws the signal's reason alone: what fails is a finding. */
export async function tryModes(url: string, options: ConnectOptions, question: ModeQuestion): Promise<ModeFindings> {
  const results: ModeResult[] = [];
  const warnings: string[] = [];
  const resumed: boolean[] = [];
  for (const mode of modesToTry(options, question.isIpv6)) {
    question.onStep(`data connections by ${mode.toUpperCase()}`);
    const one = new ModeTry(mode);
    results.push(await one.run(url, options));
    warnings.push(...one.warnings);
    if (one.resumed !== undefined) resumed.push(one.resumed);
  }
  return { results, warnings, resumes: resumed.length === 0 ? undefined : resumed.every(Boolean) };
}

function modesToTry({ data, proxy }: ConnectOptions, isIpv6: boolean): readonly DataMode[] {
  return (data?.modes ?? DATA_MODES).filter(
    (mode) => (isPassive(mode) || allowsActive(proxy)) && !(isIpv6 && (mode === "pasv" || mode === "port")),
  );
}

function isPassive(mode: DataMode): boolean {
  return mode === "epsv" || mode === "pasv";
}

class ModeTry {
  readonly #mode: DataMode;
  readonly warnings: string[] = [];
  resumed: boolean | undefined;
  #endpoint: string | undefined;

  constructor(mode: DataMode) {
    this.#mode = mode;
  }

  async run(url: string, options: ConnectOptions): Promise<ModeResult> {
    const mode = this.#mode;
    const data = { ...options.data, modes: [mode], waitMs: options.data?.waitMs ?? PORT_MS };
    let begun = performance.now();
    try {
      await probing(url, { ...options, data }, async (probe) => {
        this.#listen(probe);
        const { session } = probe;
        const { signal } = options;
        begun = performance.now();
        // LIST is what every server has (RFC 959 §4.1.3).
        const { home } = session.info;
        await fetchListing(session, { command: "LIST", folder: home, signal: joinedSignal(signal, MODE_MS) });
        this.resumed = session.tls?.resumed;
      });
      return this.#result(true, "works", begun);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof FtpError)) throw error;
      const [attempt] = error.tried ?? [];
      this.#endpoint ??= attempt?.endpoint;
      return this.#result(false, attempt?.outcome ?? error.message, begun);
    }
  }

  #result(works: boolean, outcome: string, begun: number): ModeResult {
    const ms = Math.round(performance.now() - begun);
    return {
      mode: this.#mode,
      works,
      outcome,
      ms,
      ...(this.#endpoint === undefined ? {} : { endpoint: this.#endpoint }),
    };
  }

  /** Where it goes stands in the replies of passive modes and in the commands of active ones. */
  #listen({ session, heard }: Probe): void {
    const host = session.info.address;
    heard("reply", ({ reply }) => {
      const text = reply.lines.join(" ");
      if (reply.code === 229) {
        const port = parse229(text);
        if (port !== undefined) this.#endpoint = showEndpoint({ address: host, port });
      }
      if (reply.code === 227) {
        const said = parse227(text);
        if (said === undefined) return;
        this.#endpoint = showEndpoint({ address: host, port: said.port });
        if (!sameAddress(said.address, host)) this.#foreign(said.address, host);
      }
    });
    heard("command", ({ line }) => {
      const [, verb = "", argument = ""] = /^(EPRT|PORT) (.+)$/.exec(line) ?? [];
      const eprt = verb === "EPRT" ? parseEprt(argument) : undefined;
      const said = eprt?.kind === "address" ? eprt.hostPort : parsePort(argument);
      if (said !== undefined) this.#endpoint = showEndpoint(said);
    });
  }

  #foreign(address: string, host: string): void {
    const kind = isPrivateAddress(address) ? "the private address" : "the address";
    this.warnings.push(
      `PASV names ${kind} ${address} and not ${host}: clients that believe it cannot connect; the server's public address should be set there (masquerade address)`,
    );
  }
}
