/** Addresses: grammar, quoting, extensions, host names, IP addresses. Pure. */
export { type FoundAddress, mapAddresses, parseAddressList } from './address-list.ts';
export { domainToAscii, isAddressLiteral, isValidHostName, parseAddressLiteral } from './host-name.ts';
export {
  type CidrResult,
  formatIp,
  type IpAddress,
  ipInNetwork,
  type IpNetwork,
  networkAddress,
  parseCidr,
  parseIp,
} from './ip.ts';
export {
  type AddressParts,
  type ExtensionOptions,
  foldCase,
  joinAddress,
  splitAddress,
  splitExtension,
  type SplitLocalPart,
} from './parts.ts';
export { quoteLocalPart, toExternal, toInternal } from './quoting.ts';
