/**
 * Which samples were tried on a running gateway, and how: run as a program, or their request replayed where there was
 * no toolchain. `make samples` writes the table, of each operation the version and a hash; a test fails when a sample was
 * changed since.
 */
import table from "./verified.json";

export interface Verified {
  how: "run" | "replayed";
  /** The version of the gateway that answered. */
  version: string;
}

interface Row {
  how: Verified["how"];
  operations: Readonly<Record<string, string>>;
}

/** Return how the samples of an operation in a language were verified. */
export function verifiedOf(language: string, variant: string, operation: string, stream: boolean): Verified | null {
  const row = (table as unknown as Readonly<Record<string, Row>>)[`${language}.${variant}`];
  const version = row?.operations[stream ? `${operation}:stream` : operation]?.split(" ")[0];
  return row && version ? { how: row.how, version } : null;
}
