/** Text as the languages write it. */

/** Indent every line but the first. */
export const indent = (text: string, by: string): string => text.replaceAll("\n", `\n${by}`);

/** A literal in double quotes with the escapes that C, Java, Go, JavaScript, Ruby and their kin share. */
export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t")}"`;
}

/** The same where `$` would begin a variable or `#{` an expression. */
export const quotedNoDollar = (text: string): string => quoted(text).replaceAll("$", "\\$").replaceAll("#{", "\\#{");

/** A literal in single quotes for a shell. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A literal in single quotes as PHP and JavaScript read it. */
export const singleQuoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n")}'`;

/** The first of endless names for a delimiter with which the text does not hold what would end its literal. */
export function fenceFor(text: string, first: string, more: string, end: (fence: string) => string): string {
  let fence = first;
  while (text.includes(end(fence))) fence += more;
  return fence;
}
