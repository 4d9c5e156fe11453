/** The client's end of the guest's protocol. */
export type { GuestAttachment } from './attachment.ts'
export { GuestClient, type GuestClientOptions } from './client.ts'
export { dialUnix } from './dial.ts'
