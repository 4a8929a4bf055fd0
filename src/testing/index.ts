/** `ferryman/testing`: conformance suites for the ports. */
export { storageSuite } from "./storage-suite.ts";
export { type AccountAbilities, type AccountFixture, type MakeAccounts, accountSuite } from "./account-suite.ts";
