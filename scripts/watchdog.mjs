/**
 * Loaded into each test file's process: ends a file that is still there after its time, which the test runner's own
 * time-out does not (it fails the test and then waits for whatever that test left open).
 */
const limit = Number(process.env.FERRYMAN_TEST_FILE_MS);

setTimeout(() => {
  const left = Object.entries(Object.groupBy(process.getActiveResourcesInfo(), (kind) => kind));
  console.error(
    `not finished after ${limit / 1000} s; still open: ${left.map(([kind, { length }]) => `${length} ${kind}`).join(", ")}`,
  );
  process.exit(1);
}, limit).unref();
