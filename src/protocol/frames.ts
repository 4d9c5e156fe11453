/**
 * Streams that carry more than bytes (exec, attach, logs) are a sequence of frames: one type byte, a big-endian u32
 * length, the payload. The same in both directions; frames may be split and joined at will by what is below.
 */
export const Frame = {
  /** Client: program input. */
  stdin: 0,
  /** Guest: program output. Logs: prefixed by nothing, see `mark`. */
  stdout: 1,
  stderr: 2,
  /** Client: end of input. Empty. */
  eof: 3,
  /** Client: JSON `StartRequest` or `AttachRequest`; the first frame of a stream. */
  open: 4,
  /** Guest: JSON `SessionInfo`, once, before any output. */
  session: 5,
  /** Guest: JSON `ExitStatus`. The program ended; output may still follow. */
  exit: 6,
  /** Guest: JSON `{stdout, stderr}`, final offsets: no more output. Last frame of a finished session. */
  done: 7,
  /** Client: JSON `{cols, rows}`. */
  resize: 8,
  /** Client: a signal name, as text. */
  signal: 9,
  /** Client, owner: two u64, the stdout and stderr offsets it has delivered. Frees the guest's window. */
  ack: 10,
  /** Guest: stream byte (1 or 2) and u64: the next output frame of that stream begins at this absolute offset. */
  mark: 11,
  /** Guest: JSON `{stream, bytes}`: output was skipped for this viewer. */
  skipped: 12,
  /** Guest: another client owns the session now; this one only looks. Empty. */
  disowned: 13,
  /** Guest: JSON `WireError`; last frame of a failed stream. */
  error: 14,
  /** Client: leaves on purpose. Empty. */
  detach: 15,
  /**
   * Guest, to an owner: one u64, the bytes of owners' `stdin` frames the program has taken since the session began; all
   * ones: it reads no more. Right after `session`, then at least every `INPUT_WINDOW / 4` bytes. After a lost connection
   * the owner sends again what is beyond it, so that input is neither lost nor doubled. The program's slowness holds
   * back `taken`, never the stream, so that acks and signals always get through.
   */
  taken: 16,
  /**
   * Client, owner: asks for a door, a socket in `run` for one connection, past the guest. Empty. Guest: JSON `DoorWord`,
   * `done` for none; an older one says nothing. Who comes in is sent a byte with a descriptor: where the program's input
   * goes, of a terminal also where its output comes from. A terminal's visitor writes what it reads to the socket, for
   * the log; it leaves by closing that, and is asked to by its end. What is typed there nobody counts: before, the client
   * waits until all that it sent was taken.
   */
  door: 17,
  /**
   * Guest: u64: from this offset on a terminal's output is the visitor's to show. The client acknowledges it as ever.
   * Client: the visitor is gone, or never came: from this offset on it comes here again; `NEW_PICTURE`: as a new picture.
   */
  direct: 18,
} as const

export type FrameType = (typeof Frame)[keyof typeof Frame]

export const NEW_PICTURE: bigint = 2n ** 64n - 1n

export const FRAME_HEADER = 5
/** A larger length is a protocol error, not an allocation. */
export const FRAME_MAX = 16 * 1024 * 1024
/** Output bytes the guest keeps for an owner that has not acknowledged them; beyond it the program waits. */
export const OWNER_WINDOW = 4 * 1024 * 1024
/** An owner acknowledges at least this often, in bytes. */
export const ACK_EVERY = 512 * 1024
/** Input bytes an owner keeps for sending again; beyond it, it waits for `taken`. */
export const INPUT_WINDOW = 1024 * 1024
