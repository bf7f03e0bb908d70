/** Where a server is, and its names in texts and in the log. */

export interface Endpoint {
  /** Host name as found, or our own name for a UNIX-domain socket. */
  readonly host: string;
  /** Address or path. */
  readonly address: string;
  /** 0 for a UNIX-domain socket. */
  readonly port: number;
}

/** `HOST[ADDRESS]`, as texts for people have it. */
export function endpointName({ host, address }: Endpoint): string {
  return `${host}[${address}]`;
}

/** `HOST[ADDRESS]:PORT`, as `relay=` has it. */
export function endpointLabel(endpoint: Endpoint): string {
  return endpoint.port === 0 ? endpointName(endpoint) : `${endpointName(endpoint)}:${endpoint.port}`;
}
