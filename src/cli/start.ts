/** The first file of the command: a server that root starts gives up powers before the rest is loaded. */
import { faultMessage } from "../base/fault-text.ts";
import { EXIT } from "./exit.ts";

if (process.argv[2] === "serve" && process.getuid?.() === 0) {
  const { dropEarly } = await import("./early.ts");
  await dropEarly(process.argv.slice(2), process.env).catch((error: unknown) => {
    process.stderr.write(`ferryman: powers cannot be given up: ${faultMessage(error)}\n`);
    process.exit(EXIT.failed);
  });
}
await import("./main.ts");
