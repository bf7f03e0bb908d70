/** The word that a value is, in any case; `fallback` when it is none of them, which the start has refused. */
export function oneOf<T extends string>(text: string, allowed: readonly T[], fallback: T): T {
  return allowed.find((word) => word === text.toLowerCase()) ?? fallback;
}
