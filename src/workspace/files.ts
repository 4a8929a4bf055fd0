/** The words of the storage port that fronts need to speak of files. They have no other door to storage than this folder. */
export { type Entry, type NamedEntry, StorageError, type StorageFault } from "../storage/storage.ts";
