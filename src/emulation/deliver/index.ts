/** Bringing the guest to a computer over nothing but `spawn`. Loaded when that is needed. */
export { deliver, endGuest } from './deliver.ts'
export { enterComputer } from './enter.ts'
