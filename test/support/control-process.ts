/** A guard with a control socket in a process of its own, as `ferryman serve` has them: argument 2 is the path. */
import { BanFile } from "../../src/guard/ban-file.ts";
import { Guard } from "../../src/guard/guard.ts";
import { banHandlers } from "../../src/control/ban-requests.ts";
import { ControlServer } from "../../src/control/control-server.ts";

const [, , path = "", state = ""] = process.argv;
const guard = new Guard();
const file = new BanFile(state);
guard.restore((await file.load()).state);
const control = new ControlServer({ path, handlers: banHandlers(guard) });
await control.listen();
process.stdout.write("ready\n");
// Its parent closes this when the test is over, however it ends.
process.stdin.resume().once("end", () => {
  void (async () => {
    await file.save(guard.state());
    await control.close();
  })();
});
