/** `ferryman/testing`: conformance suites for the ports. */
export { storageSuite } from "./storage-suite.ts";
