/**
 * Which samples were tried on a running gateway, and how: run as a program, or their request replayed where there was
 * no toolchain. `make samples` writes the table; a test fails when a sample was changed since.
 */
import table from "./verified.json";

export interface Verified {
  how: "run" | "replayed";
  /** The version of the gateway that answered. */
  version: string;
}

interface Row extends Verified {
  operations: readonly string[];
}

/** Return how the samples of an operation in a language were verified. */
export function verifiedOf(language: string, variant: string, operation: string, stream: boolean): Verified | null {
  const row = (table as unknown as Readonly<Record<string, Row>>)[`${language}.${variant}`];
  if (!row?.operations.includes(stream ? `${operation}:stream` : operation)) return null;
  return { how: row.how, version: row.version };
}
