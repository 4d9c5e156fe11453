import type Docker from 'dockerode'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'

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

/**
 * The status that a container which does not run yet will end with. There when the engine has begun to wait for it: asked over
 * a connection of its own, that could else come after the end.
 */
export async function awaitExit({ modem }: Docker, id: string): Promise<{ readonly ended: Promise<number> }> {
  const call = { path: `/containers/${id}/wait?`, method: 'POST', options: { condition: 'next-exit' }, isStream: true, statusCodes: { 200: true, 404: 'no such container', 500: 'server error' } }
  const answer = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    // A response; the types do not say so.
    modem.dial(call, (error: unknown, stream: unknown) => (error ? reject(error instanceof Error ? error : new Error(String(error))) : resolve(stream as NodeJS.ReadableStream)))
  })
  const ended = text(answer).then((body) => (JSON.parse(body) as { readonly StatusCode: number }).StatusCode)
  return { ended }
}
