/** The local(8) delivery agent. */
export { createLocalAgent, type LocalAgentOptions } from './agent.ts';
