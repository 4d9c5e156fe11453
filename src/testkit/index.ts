/** For those who write a provider: the conformance suite, a provider to measure it by, and faults to inject. */
export { conformance, type ConformanceOptions, type ConformanceReport, type Runner } from './conformance/index.ts'
export { Faults, faultyComputer, faultyProvider, faultyStream } from './faults/index.ts'
export { testKit } from './kit.ts'
export { processProvider } from './process/index.ts'
