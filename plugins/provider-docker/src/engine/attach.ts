import type Docker from 'dockerode'
import type { Socket } from 'node:net'

/**
 * A container's standard streams. The library's own call repeats its options in the body, which Podman takes for the first
 * input of the program.
 */
export function attach({ modem }: Docker, id: string): Promise<Socket> {
  const query = { stream: true, stdin: true, stdout: true, stderr: true }
  const call = { path: `/containers/${id}/attach?`, method: 'POST', options: query, file: Buffer.alloc(0), isStream: true, hijack: true, openStdin: true, statusCodes: { 101: true, 200: true, 404: 'no such container', 500: 'server error' } }
  return new Promise((resolve, reject) => {
    // With `hijack` it is a socket, whose end is a half-close; the types do not say so.
    modem.dial(call, (error: unknown, socket: unknown) => (error ? reject(error instanceof Error ? error : new Error(String(error))) : resolve(socket as Socket)))
  })
}
