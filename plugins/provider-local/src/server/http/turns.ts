import type { WebSocket } from 'ws'

/** What a client says in words, one message after the other: while one is heard, no more are read. */
export function inTurn(socket: WebSocket, hear: (text: string) => Promise<void>): void {
  let turn: Promise<void> = Promise.resolve()
  let waiting = 0
  socket.on('message', (data: Buffer, binary) => {
    if (binary) return
    waiting++
    socket.pause()
    turn = turn.then(() => hear(data.toString())).then(() => void (--waiting === 0 && socket.resume()))
  })
}
