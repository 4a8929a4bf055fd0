/** `ferryman doctor`: what this machine gives a server, and why where it gives less. */
import { styleText } from "node:util";
import { Command } from "commander";
import { ConfigurationError, loadConfiguration } from "../config/configuration.ts";
import { type ServerSettings, examineHost } from "../doctor/host.ts";
import type { Finding } from "../doctor/finding.ts";
import { CliError, EXIT } from "./exit.ts";
import { type Shown, fitting } from "./wrap.ts";

export type DoctorIo = { readonly stdout: NodeJS.WritableStream & Shown; readonly examine: typeof examineHost };

const EXAMPLES = `
It sends a file to itself over loopback, and changes nothing on this machine.
It looks at what the configuration asks for and this machine gives; a server
that runs already may have been started otherwise.

  ok    as good as it gets
  less  it works; another way would be faster or safer
  FAIL  it does not work

Examples:
  ferryman doctor
  ferryman doctor --config /etc/ferryman/ferryman.toml   as the server is told
  ferryman doctor --json
  ferryman doctor ftp://ann@ftp.example.org              a server, from here

Exit codes: 0 no FAIL, 1 a FAIL, 2 wrong usage, 78 wrong configuration`;

const MARKS: Readonly<Record<Finding["state"], string>> = { good: "ok  ", less: "less", bad: "FAIL" };
const COLOURS = { good: "green", less: "yellow", bad: "red" } as const;

/** @param io for tests; the process's own if absent. */
export function doctorCommand(io: DoctorIo = { stdout: process.stdout, examine: examineHost }): Command {
  return new Command("doctor")
    .description("Tell what this machine gives a server: the data path in force, the jail, and why.")
    .argument("[URL]", "a server: which data modes get through to it, what it can do, what to mend")
    .option("--config <FILE>", "configuration of the server (default: FERRYMAN_CONFIG or /etc/ferryman/ferryman.toml)")
    .option("--json", "as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (url: string | undefined, { json, config }: { json?: true; config?: string }) => {
      if (url !== undefined) {
        await examineServer(url, { json, stdout: io.stdout });
        return;
      }
      const findings = await io.examine(await serverSettings(config));
      io.stdout.write(
        json === true
          ? `${JSON.stringify(findings, undefined, 2)}\n`
          : fitting(findings.map(paragraph).join(""), io.stdout),
      );
      if (findings.some(({ state }) => state === "bad")) {
        throw new CliError("something that a server needs does not work here; see above", EXIT.failed);
      }
    });
}

/** Loaded when it is asked for: the client is large. */
async function examineServer(
  text: string,
  { json, stdout }: { readonly json: true | undefined; readonly stdout: DoctorIo["stdout"] },
): Promise<void> {
  const { detectFor } = await import("./remote/detect.ts");
  const { profile, words } = await detectFor(text);
  stdout.write(json === true ? `${JSON.stringify(profile, undefined, 2)}\n` : `${fitting(words, stdout)}\n`);
  if (profile.modes.every(({ works }) => !works)) {
    throw new CliError("no data connection gets through; see above", EXIT.failed);
  }
}

async function serverSettings(file: string | undefined): Promise<ServerSettings> {
  try {
    const { server } = await loadConfiguration({ environment: process.env, ...(file === undefined ? {} : { file }) });
    return server;
  } catch (error) {
    if (error instanceof ConfigurationError) throw new CliError(error.message, EXIT.configuration);
    throw error;
  }
}

function paragraph({ state, says, evidence, cure }: Finding): string {
  const mark = styleText(COLOURS[state], MARKS[state], { stream: process.stdout });
  const lines = [...evidence, ...(cure === undefined ? [] : [`cure: ${cure}`])];
  return `${mark}  ${says}\n${lines.map((line) => `      ${line}\n`).join("")}`;
}
