/** What the restrictions of a service are made from: settings, tables, and DNS as DNS lists are to be asked. */
import { invalidNameReason, rememberAnswers, type Resolver } from '#dns';
import { createLocalDomainTest } from '#rewrite';
import { oldDefaults } from './old-defaults.ts';
import { parseRestrictions } from './program.ts';
import type { Toolbox } from './restriction.ts';
import { readRestrictionSettings } from './settings.ts';

/** What has to be given; the rest of the toolbox follows from it. */
export type ToolboxOptions = Omit<
  Toolbox,
  'parse' | 'compiled' | 'classes' | 'mynetworks' | 'isLocalDomain' | 'replyMaps' | 'oldDefaults' | 'listResolver'
>;

/** As long as a server process of Postfix lives without work (max_idle), and room for more than its 100 answers. */
const listMemory = { maxAgeMs: 100_000, maxEntries: 5000 };

/** No host has a name that ends in a dot, whatever DNS makes of it. */
function withoutRootedNames(resolver: Resolver): Resolver {
  return {
    lookup: (name, type) =>
      name.endsWith('.')
        ? Promise.resolve({ kind: 'noName', reason: invalidNameReason(name) })
        : resolver.lookup(name, type),
  };
}

export function createToolbox(options: ToolboxOptions): Toolbox {
  const { settings, tables, rewriter } = options;
  const resolver = withoutRootedNames(options.resolver);
  const toolbox: Toolbox = {
    ...options,
    resolver,
    listResolver: rememberAnswers(resolver, { now: () => performance.now(), ...listMemory }),
    compiled: readRestrictionSettings(settings),
    mynetworks: tables.matchList('mynetworks', 'namadr', settings.elements('mynetworks')),
    isLocalDomain: createLocalDomainTest(
      tables.matchList('mydestination', 'string', settings.elements('mydestination')),
      rewriter.ownAddresses,
    ),
    replyMaps: tables.listOf('rbl_reply_maps'),
    oldDefaults: oldDefaults(settings),
    classes: new Map(),
    parse: (elements, { bareTable }) => parseRestrictions(elements, toolbox, { bareTable }),
  };
  return toolbox;
}
