/** Ports by the names of their services: known_tcp_ports, then services(5). postconf(5) */
import { readFileSync } from 'node:fs';
import type { Settings } from './settings.ts';

/** The port of a service, by name or number; undefined: there is none. */
export type PortOf = (service: string) => number | undefined;

const parameter = 'known_tcp_ports';
const largest = 65_535;

/** Ports of mail, for a machine without services(5). */
const portsOfMail: Readonly<Record<string, number>> = {
  lmtp: 24,
  smtp: 25,
  smtps: 465,
  submission: 587,
  submissions: 465,
};

interface KnownPorts {
  readonly ports: ReadonlyMap<string, number>;
  /** Elements that are none. */
  readonly wrong: readonly string[];
}

/** `name=number`, `name=other=number`: with commas, and blanks around everything. */
function parseKnownPorts(text: string): KnownPorts {
  const ports = new Map<string, number>();
  const wrong: string[] = [];
  for (const element of text.split(',')) {
    const names = element.split('=').map((word) => word.trim());
    const port = names.pop() ?? '';
    if (element.trim() === '') continue;
    const isRight =
      names.length > 0 &&
      names.every((name) => /^[^\s]+$/.test(name) && !/^\d+$/.test(name)) &&
      /^\d+$/.test(port) &&
      Number(port) <= largest;
    if (isRight) for (const name of names) ports.set(name, Number(port));
    else wrong.push(element.trim());
  }
  return { ports, wrong };
}

export function wrongKnownPorts(settings: Settings): readonly string[] {
  return parseKnownPorts(settings.string(parameter)).wrong;
}

function portInServices(service: string): number | undefined {
  let text: string;
  try {
    text = readFileSync('/etc/services', 'utf8');
  } catch {
    // no such file on this machine
    return portsOfMail[service];
  }
  for (const line of text.split('\n')) {
    const [name, port = '', ...aliases] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (port.endsWith('/tcp') && (name === service || aliases.includes(service))) return Number.parseInt(port, 10);
  }
  return undefined;
}

/** services(5) is read only for a name that main.cf does not know. */
export function tcpPorts(settings: Settings): PortOf {
  const { ports } = parseKnownPorts(settings.string(parameter));
  return (service) => {
    if (!/^\d+$/.test(service)) return ports.get(service) ?? portInServices(service);
    return Number(service) <= largest ? Number(service) : undefined;
  };
}
