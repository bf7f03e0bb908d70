/** The pipe(8) delivery agent. */
export { createPipeAgent, type PipeAgentOptions } from './agent.ts';
export { readPipeSettings } from './settings.ts';
