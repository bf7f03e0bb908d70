/** Codes of replies. RFC 1035, 4.1.1 */
export const rcodes = { ok: 0, formErr: 1, servFail: 2, noName: 3, notImp: 4, refused: 5 } as const;

/** The codes with which a server says "not from me": the next one may know (res_send(3)). */
export function isRefusal(rcode: number): boolean {
  return rcode === rcodes.servFail || rcode === rcodes.notImp || rcode === rcodes.refused;
}
