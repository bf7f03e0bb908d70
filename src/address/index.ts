/** Addresses as text: grammar, quoting, extensions, host names, Internet addresses. Pure. */
export { type ExtensionOptions, joinAddress, splitAddress, splitExtension } from './parts.ts';
export { quoteLocalPart, toExternal, toInternal } from './quoting.ts';
export { isAddressLiteral, isValidHostName, parseAddressLiteral, hostNameProblem } from './host-name.ts';
export {
  endAddress,
  familyOf,
  formatIp,
  type IpAddress,
  ipInNetwork,
  type IpNetwork,
  networkAddress,
  parseCidr,
  parseIp,
  parseWrittenIp,
} from './ip.ts';
export { domainToAscii, foldCase, isAsciiText } from './domain.ts';
export { scanAddressTokens, type ScannedToken } from './scanner.ts';
export { wordText } from './words.ts';
export {
  addressesOf,
  type AddressToken,
  type LocalPartOperators,
  mapAddresses,
  parseAddressList,
} from './address-list.ts';
export { addressesInPieces } from './address-pieces.ts';
export { formatAddressHeader } from './print.ts';
export { compareByDomain } from './order.ts';
