import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * Everything about a tree that must come back, told by Node, getfattr and lsattr, which know nothing of amux-disk: types,
 * modes, owners, times, targets, sizes, sparseness, hard-link groups, contents, attributes, flags, device numbers.
 * Names and targets are bytes.
 */
export function listing(directory: string): string {
  const attributes = tool(directory, ['getfattr', '-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '.'])
  const flags = tool(directory, ['lsattr', '-R', '-a', '.'])
    .split('\n')
    .map((line) => `${line.replace(/ .*/s, '').replaceAll(/[^aid]/g, '')} ${line.replace(/^\S* /, '')}`)
    .filter((line) => /^[aid]/.test(line))
  return [quickListing(directory), ...attributes.split('\n\n').toSorted(), ...flags.toSorted()].join('\n')
}

/** The same without attributes and flags, which need programs of their own. */
export function quickListing(directory: string): string {
  const lines: string[] = []
  const groups = new Map<bigint, string>()
  const pending = ['']
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const real = Buffer.from(path === '' ? directory : `${directory}/${path}`, 'latin1')
    const stat = lstatSync(real, { bigint: true })
    const parts = [path, stat.mode.toString(8), `${stat.uid}:${stat.gid}`, stat.mtimeNs]
    if (stat.isDirectory()) {
      for (const name of readdirSync(real, { encoding: 'buffer' })) pending.push(`${path}${path === '' ? '' : '/'}${name.toString('latin1')}`)
    } else if (stat.nlink > 1n) {
      const first = groups.get(stat.ino)
      groups.set(stat.ino, first === undefined || path < first ? path : first)
      parts.push(`group ${stat.ino}`)
    }
    if (stat.isFile()) {
      // A few blocks more or less are the file system's affair.
      const sparse = stat.size >= 65_536n && stat.blocks * 512n < stat.size / 2n
      parts.push(stat.size, sparse ? 'sparse' : '', createHash('sha1').update(readFileSync(real)).digest('hex'))
    }
    if (stat.isSymbolicLink()) parts.push(readlinkSync(real, { encoding: 'buffer' }).toString('latin1'))
    if (stat.isCharacterDevice() || stat.isBlockDevice()) parts.push(stat.rdev)
    lines.push(parts.join('|'))
  }
  return lines
    .map((line) => line.replace(/group (\d+)/, (_, inode) => `group ${groups.get(BigInt(String(inode)))}`))
    .toSorted()
    .join('\n')
}

function tool(cwd: string, [program = '', ...args]: readonly string[]): string {
  const done = spawnSync(program, args, { cwd, encoding: 'latin1', maxBuffer: 1 << 28 })
  if (done.error !== undefined) throw done.error
  return done.stdout
}
