// Who is this device's guardian for an account, and whose guardian an account agreed to be. Only addresses are
// kept, in the browser; the node is told nothing.

const GUARDIANS = "sayso-guardians";
const WARDS = "sayso-wards";

function read<T>(name: string, otherwise: T): T {
  try {
    return (JSON.parse(localStorage.getItem(name) ?? "null") as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(name: string, value: unknown): void {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Without storage, the person enters it again.
  }
}

const nameOf = (account: string): string => account.toLowerCase();

/** The confirmed guardian of an account; empty without one. */
export const guardianOf = (account: string): string => read<Record<string, string>>(GUARDIANS, {})[nameOf(account)] ?? "";

export const keepGuardian = (account: string, guardian: string): void =>
  write(GUARDIANS, { ...read<Record<string, string>>(GUARDIANS, {}), [nameOf(account)]: guardian });

/** The addresses whose guardian an account agreed to be. */
export const wardsOf = (account: string): string[] => read<Record<string, string[]>>(WARDS, {})[nameOf(account)] ?? [];

export const keepWard = (account: string, ward: string): void =>
  write(WARDS, { ...read<Record<string, string[]>>(WARDS, {}), [nameOf(account)]: [...new Set([...wardsOf(account), ward])] });
