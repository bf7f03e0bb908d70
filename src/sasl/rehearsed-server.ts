/** A login server for clients that are only described: it offers what anybody may want, and nobody asks it. */
import type { LoginServer, SaslStep, SaslWords } from './login-server.ts';
import { mechanismTraits } from './login-server.ts';

export function createRehearsedServer(words: SaslWords): LoginServer {
  const nobody: SaslStep = { kind: 'refused', reason: '', isTemporary: false };
  const refuse = (): Promise<SaslStep> => Promise.resolve(nobody);
  return {
    words,
    offer: async () => ({
      kind: 'mechanisms',
      mechanisms: [{ name: 'PLAIN', traits: new Set(mechanismTraits) }],
    }),
    open: () => ({ start: refuse, answer: refuse, abandon: () => undefined }),
  };
}
