/** amux-init as those see it who run it here or speak with it: where it is, and how its records are cut. */
export * from './packets.ts'
export { initProgram } from './program.ts'
