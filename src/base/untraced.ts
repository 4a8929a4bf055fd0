/** Errors that are expected, such as a name that is free: a stack trace costs ten times the call that failed. */

/** What `make` makes, without a trace. Its message must say what failed. */
export function untraced<Made extends Error>(make: () => Made): Made {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
