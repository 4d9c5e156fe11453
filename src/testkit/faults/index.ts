/** Faults to inject: into a provider's calls, and into the connections it gives. */
export { Faults } from './faults.ts'
export { faultyComputer, faultyProvider, faultyStream } from './wrap.ts'
