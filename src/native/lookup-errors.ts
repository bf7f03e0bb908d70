/** The C library's words for a name that has no address. gai_strerror(3) */

export const lookupTexts = {
  EAI_AGAIN: 'Temporary failure in name resolution',
  EAI_NODATA: 'No address associated with hostname',
  EAI_NONAME: 'Name or service not known',
  EAI_SERVICE: 'Servname not supported for ai_socktype',
} as const;

const textsByCode: ReadonlyMap<string, string> = new Map([
  ['EAI_AGAIN', lookupTexts.EAI_AGAIN],
  ['ENOTFOUND', lookupTexts.EAI_NONAME],
]);

/** For the code that Node gives an error; undefined when it has nothing to do with names. */
export function textOfLookupError(code: string): string | undefined {
  return textsByCode.get(code);
}
