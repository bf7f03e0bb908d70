/** Address verification: a cache, and probes. verify(8) */
export { createProbeSender, type ProbeSender, type ProbeSenderOptions } from './probe-sender.ts';
export { createVerifier, type Verifier, type VerifierOptions } from './verifier.ts';
