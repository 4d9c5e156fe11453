/** The files that make a guest, apart from what speaks with one. */
export { guestKit, type KitOptions } from './kit.ts'
