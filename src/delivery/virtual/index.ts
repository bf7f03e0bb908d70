/** The virtual(8) delivery agent. */
export { createVirtualAgent, type VirtualAgentOptions } from './agent.ts';
