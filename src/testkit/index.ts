/** For those who write a provider: the conformance suite, a provider to measure it by, and faults to inject. */
export { processProvider } from './process/index.ts'
export { testKit } from './kit.ts'
