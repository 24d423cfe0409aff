/** Filters in the address: read what is meant, drop what is not, and leave out what says nothing. */

type Raw = Record<string, unknown>;

export const readText = (raw: Raw, name: string): string | undefined => {
  const value = raw[name];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
};

export const readList = (raw: Raw, name: string): string[] | undefined => {
  const value = raw[name];
  const list = (Array.isArray(value) ? value : value === undefined ? [] : [value])
    .filter((one): one is string | number => typeof one === "string" || typeof one === "number")
    .map(String)
    .filter((one) => one !== "");
  return list.length > 0 ? list : undefined;
};

export function readOneOf<T extends string>(raw: Raw, name: string, allowed: readonly T[]): T | undefined {
  const value = raw[name];
  return allowed.find((one) => one === value);
}

export const readCount = (raw: Raw, name: string): number | undefined => {
  const value = Number(raw[name]);
  return raw[name] !== undefined && raw[name] !== "" && Number.isSafeInteger(value) ? value : undefined;
};

/** Leave out the names without a value, so that an address says only what was chosen. */
export function compact<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(given).filter(
      ([, value]) => value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0),
    ),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
