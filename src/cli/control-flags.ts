/** How a command finds the running server, and what its failures are called. */
import { ConfigurationError, loadConfiguration } from "../config/configuration.ts";
import { AskError, type Question, askServer } from "../control/ask-server.ts";
import { likelySockets, surroundings } from "../control/socket-path.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";
import { PROGRAM } from "./program.ts";

export type ControlFlags = {
  /** The socket's path. */
  readonly control?: string;
  /** The configuration file in which the server finds its own `control-socket`. */
  readonly config?: string;
};

export const CONTROL_HELP = `The server is found by its control socket: --control, else control-socket of the
configuration (--config, FERRYMAN_CONFIG or /etc/ferryman/ferryman.toml;
FERRYMAN_CONTROL_SOCKET), else the usual places: $RUNTIME_DIRECTORY, /run/ferryman,
$XDG_RUNTIME_DIR/ferryman.`;

const EXIT_OF: Readonly<Record<Exclude<AskError["kind"], "absent">, ExitCode>> = {
  forbidden: EXIT.refused,
  broken: EXIT.failed,
  refused: EXIT.failed,
};

/** @throws {CliError} */
export async function ask<Answer>(flags: ControlFlags, question: Question<Answer>): Promise<Answer> {
  const paths = await socketsOf(flags);
  for (const path of paths) {
    try {
      return await askServer(path, question);
    } catch (error) {
      if (!(error instanceof AskError)) throw error;
      if (error.kind === "absent") continue;
      const hint = error.kind === "forbidden" ? "; only root and the server's own user may ask it" : "";
      throw new CliError(error.message + hint, EXIT_OF[error.kind]);
    }
  }
  const where = paths.length === 1 ? `at ${paths[0]}` : `at any of ${paths.join(", ")}`;
  throw new CliError(
    `No running server was found ${where}. Start one with: ${PROGRAM} serve, or name its socket with --control PATH.`,
    EXIT.tryAgain,
  );
}

async function socketsOf({ control, config }: ControlFlags): Promise<readonly string[]> {
  if (control !== undefined) return [control];
  const environment = process.env;
  const configured = await settingOf({ environment, ...(config === undefined ? {} : { file: config }) });
  if (configured === "off") {
    throw new CliError("control-socket is off in the configuration, so no server can be asked.", EXIT.configuration);
  }
  return configured === undefined ? await likelySockets(surroundings()) : [configured];
}

async function settingOf(sources: Parameters<typeof loadConfiguration>[0]): Promise<string | undefined> {
  try {
    return (await loadConfiguration(sources)).control.controlSocket;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new CliError(`${error.message}\nWith --control PATH the configuration is not read.`, EXIT.configuration);
  }
}
