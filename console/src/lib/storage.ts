/** This browser's own memory, which may be forbidden; nothing secret goes here. */

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`tokengate.${name}`, value);
  } catch {
    // Forbidden or full: the choice lasts as long as the page.
  }
}

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`tokengate.${name}`);
  } catch {
    return null;
  }
}

export function forget(name: string): void {
  try {
    localStorage.removeItem(`tokengate.${name}`);
  } catch {
    // Forbidden: there was nothing.
  }
}
