/** `ferryman/storage`: the port and the adapters that open it. */
export * from "./storage.ts";
export { type LocalOptions, type LocalStorage, openLocalStorage } from "./local/local.ts";
export { createMemoryStorage, type MemoryOptions } from "./memory.ts";
