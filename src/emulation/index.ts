/** What the core adds to a computer: the guest, and everything it makes possible. */
export { type GuestAttachment, GuestClient } from './client/index.ts'
export { foresee } from './capabilities.ts'
export { connectEndpoint, type Endpoint } from './endpoint.ts'
export { equip, type Equipped, type EquipOptions } from './equip.ts'
export * from './network/index.ts'
export { guestKit, type KitOptions } from './kit/kit.ts'
