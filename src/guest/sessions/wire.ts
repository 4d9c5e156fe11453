/** Mirror of ../native/wire.h: what the guest and the native supervisor say to each other. */
export const Tag = {
  arg: 1,
  env: 2,
  cwd: 3,
  user: 4,
  size: 5,
  dir: 6,
  socket: 7,
  noStdin: 8,
  start: 9,
  resume: 10,
  input: 11,
  endInput: 12,
  limit: 13,
  signal: 14,
  kill: 15,
  dismiss: 16,
  door: 17,
  shut: 18,

  started: 64,
  failed: 65,
  output: 66,
  grew: 67,
  ended: 68,
  exit: 69,
  taken: 70,
  empty: 71,
  waits: 72,
  direct: 73,
} as const

/** Where a start failed. */
export const Stage = { request: 1, fork: 2, setup: 3, user: 4, cwd: 5, exec: 6, interpreter: 7 } as const

/** Input in flight between guest and holder. */
export const INPUT_IN_FLIGHT = 256 * 1024
/** All ones. */
export const NO_LIMIT = 2n ** 64n - 1n
