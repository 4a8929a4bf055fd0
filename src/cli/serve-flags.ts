/** The flags of `ferryman serve`, and how they become settings. Values are checked with those of file and environment. */
import { Command } from "commander";
import { CliError, EXIT } from "./exit.ts";

export type ServeFlags = {
  readonly listen?: readonly string[];
  readonly user?: readonly string[];
  readonly users?: string;
  readonly anonymous?: string;
  readonly passivePorts?: string;
  readonly advertise?: string;
  readonly config?: string;
  readonly log?: string;
  readonly xferlog?: string;
  readonly readyFd?: string;
  readonly workers?: string;
  readonly tls?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly workerUser?: string;
  readonly stateFolder?: string;
  readonly controlSocket?: string;
};

const EXAMPLES = `
Examples:
  ferryman serve
      this folder, read-only, to guests on this machine: the safe way to look around
  ferryman serve ~/pub --listen 0.0.0.0:2121 --listen '[::]:2121'
      to guests on the network
  ferryman serve --user ann:secret:~/pub:write
      an account for a try; the password stands in the process list
  ferryman serve --users users.toml --anonymous off
      accounts made by: ferryman user add ann --users users.toml
  ferryman serve --listen 0.0.0.0:21 --tls require --cert chain.pem --key key.pem
      as a service: logins over TLS alone, on the usual port; ftps://0.0.0.0:990 is one more
  ferryman serve --passive-ports 50000-50100 --advertise 203.0.113.7
      behind a NAT that forwards these ports

Every flag is also a key of the configuration file and a variable: --log is log
under [serve], --tls, --cert and --key stand under [tls], and FERRYMAN_LOG is the
variable. The file is --config, else FERRYMAN_CONFIG, else, if it is there,
/etc/ferryman/ferryman.toml. Flags win over variables, and those over the file.`;

export function serveFlags(command: Command): Command {
  return command
    .configureHelp({ minWidthToWrap: 20 })
    .argument("[dir]", "the folder to serve (default: the current one)")
    .option("--listen <host:port>", "where to listen; repeatable (default: 127.0.0.1:2121 and [::1]:2121)", gather)
    .option("--user <name:password[:dir[:rights]]>", "an account for a try; repeatable", gather)
    .option("--users <file>", "accounts kept by `ferryman user`")
    .option("--anonymous <off|read|drop>", "what guests may do (default: read, off when there are users)")
    .option("--passive-ports <a-b>", "ports for passive data connections (default: 49152-65535)")
    .option("--advertise <address>", "IPv4 address that clients are told to connect to, behind a NAT")
    .option("--config <file>", "configuration file")
    .option("--log <pretty|json|off>", "form of the log on standard error (default: pretty)")
    .option("--xferlog <file>", "a line per transfer, as wu-ftpd wrote it")
    .option("--ready-fd <n>", "write the bound addresses as a line of JSON there when ready")
    .option("--tls <level>", "off, allow, require (for logins) or require-data (files too) (default: allow)")
    .option("--cert <file>", "certificate in PEM (default: self-signed, made at the first start)")
    .option("--key <file>", "its private key in PEM")
    .option("--workers <n>", "worker processes; 0: all in one process (default: one a processor)")
    .option("--worker-user <user>", "whom workers run as under root (default: ferryman, else nobody)")
    .option("--state-folder <dir>", "where bans and the self-signed certificate are kept")
    .option("--control-socket <path>", "socket for `ferryman ban`; off: none")
    .addHelpText("after", EXAMPLES);
}

function gather(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Descriptor number of --ready-fd. @throws {CliError} */
export function readyDescriptor(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new CliError(`--ready-fd ${text}: write the number of an open descriptor, 1 or more`, EXIT.usage);
}
