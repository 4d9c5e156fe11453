import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** A network that can be cut and taken away. */
export interface Gate {
  readonly url: string
  /** Every connection breaks. */
  cut(): void
  /** And no new one is taken, until it opens again. */
  close(): void
  open(): Promise<void>
}

export async function gate(target: string): Promise<Gate> {
  const to = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const far = connect(Number(to.port), to.hostname)
    for (const [one, other] of [[client, far], [far, client]] as const) {
      sockets.add(one)
      one.on('error', () => one.destroy())
      one.once('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${port}`,
    cut,
    close() {
      server.close()
      cut()
    },
    async open() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
  }
}
