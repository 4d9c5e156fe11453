import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'

export interface Published {
  readonly name: string
  readonly version: string
  /** Path of the packed tarball. */
  readonly tarball: string
}

export interface TestRegistry {
  readonly url: string
  close(): Promise<void>
}

/** A package registry that npm can install from: packuments made of packed tarballs. */
export async function servePackages(packages: readonly Published[]): Promise<TestRegistry> {
  const files = new Map(await Promise.all(packages.map(async (one) => [basename(one.tarball), await readFile(one.tarball)] as const)))
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1)
    const found = packages.find(({ name }) => name === path)
    const file = files.get(basename(path))
    if (found) response.end(JSON.stringify(packument(found, files.get(basename(found.tarball)) ?? Buffer.of(), url(server))))
    else if (file) response.end(file)
    else response.writeHead(path === '' ? 200 : 404).end('{}')
  })
  return listen(server)
}

/** Takes every connection and never says a word. */
export async function serveSilence(): Promise<TestRegistry> {
  return listen(createServer(() => undefined))
}

function packument({ name, version, tarball }: Published, file: Buffer, base: string): unknown {
  const integrity = `sha512-${createHash('sha512').update(file).digest('base64')}`
  const dist = { tarball: `${base}/${basename(tarball)}`, integrity }
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dist } } }
}

async function listen(server: Server): Promise<TestRegistry> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: url(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function url(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
