import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type ErrorDocument, Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'
import { FAR } from '../support/far.ts'
import { linkPlugins } from '../support/plugins.ts'

interface Row {
  readonly path: string
  readonly type: string
  readonly size: number
  readonly mode: number
  readonly target?: string
}

describe('amux computer fs', () => {
  let amux: Scratch
  let workspace = ''
  const children: ChildProcess[] = []

  before(async () => {
    amux = await Scratch.make()
    await linkPlugins(amux.home, [{ name: 'amux-test-far', hook: FAR }])
    mkdirSync(join(amux.project, 'sub'))
    writeFileSync(join(amux.project, 'sub/file'), 'from here')
    const { document } = await amux.json<{ workspace: string }>(['computer', 'create', '-P', 'far'])
    workspace = document.workspace
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await disposeAll(amux)
  })

  const fs = (args: readonly string[], input?: string) => amux.run(['computer', 'fs', ...args], input === undefined ? {} : { input })
  const done = async (args: readonly string[], input?: string) => {
    const { status, stdout, stderr } = await fs(args, input)
    expect(status, stderr).to.equal(0)
    return stdout
  }
  const refused = async (args: readonly string[]) => {
    const { status, document } = await amux.json<ErrorDocument>(['computer', 'fs', ...args])
    return { status, ...document.error }
  }
  const stat = async (path: string) => (await amux.json<Row>(['computer', 'fs', 'stat', path])).document

  it('writes standard input to a file, exactly, and prints it again, or a part of it', async () => {
    const text = 'first\r\n\u0000\u001B[31mlast without an end'
    await done(['write', 'exact'], text)
    expect(await done(['cat', 'exact'])).to.equal(text)
    expect(await done(['cat', 'exact', '--offset', '2', '--length', '3'])).to.equal('rst')
    expect(await done(['cat', `${workspace}/exact`, 'sub/file', '--length', '5'])).to.equal('firstfrom ')
  })

  it('begins relative paths where one stands, and those with ~ at home', async () => {
    const { status, stdout } = await amux.run(['computer', 'fs', 'cat', 'file'], { cwd: join(amux.project, 'sub') })
    expect([status, stdout]).to.deep.equal([0, 'from here'])
    expect(await done(['cat', '~/project/sub/file'])).to.equal('from here')
  })

  it('writes a file from here, with a mode, and keeps the mode of one that is there', async () => {
    writeFileSync(join(amux.project, 'tool'), '#!/bin/sh\n')
    expect((await refused(['write', 'no/such/tool', '--from', 'tool'])).code).to.equal('not_found')
    await done(['write', 'no/such/tool', '--from', 'tool', '--mode', '750', '-p'])
    await done(['write', 'no/such/tool'], 'other')
    expect((await stat('no/such/tool')).mode).to.equal(0o750)
    expect((await refused(['write', 'x', '--from', 'missing'])).status).to.equal(3)
    expect((await refused(['write', 'x', '--from', 'tool', '--mode', 'rwx'])).status).to.equal(2)
  })

  it('lists a directory, dot files only when asked, and one file itself', async () => {
    await done(['mkdir', 'listed'])
    for (const name of ['listed/b', 'listed/.hidden']) await done(['write', name], '12345')
    await done(['mkdir', 'listed/a'])
    const table = await done(['ls', 'listed'])
    expect(table.split('\n')[0]).to.match(/^MODE +OWNER +SIZE +MODIFIED +NAME$/u)
    expect(table).to.match(/^drwxr-xr-x .* a\/$/mu).and.to.match(/^-rw-r--r-- +\w+ +5 +\d{4}-\d\d-\d\d \d\d:\d\d +b$/mu).and.not.to.contain('.hidden')
    expect(await done(['ls', 'listed', '-a', '-q'])).to.equal('.hidden\na\nb\n')
    expect(await done(['ls', 'listed/.hidden', '-q'])).to.equal('.hidden\n')
    const { document } = await amux.json<readonly Row[]>(['computer', 'fs', 'ls', 'listed'])
    expect(document.map(({ path, type, size }) => ({ path, type, size }))[1]).to.deep.equal({ path: `${workspace}/listed/b`, type: 'file', size: 5 })
    expect((await refused(['ls', 'missing'])).code).to.equal('not_found')
  })

  it('follows a link to a directory when listing, and shows a link itself', async () => {
    await done(['mkdir', 'real'])
    await done(['write', 'real/inside'], 'x')
    await amux.run(['computer', 'exec', '--', 'ln', '-s', 'real', 'alias'])
    expect(await done(['ls', 'alias', '-q'])).to.equal('inside\n')
    expect(await stat('alias')).to.include({ type: 'link', target: 'real' })
    expect(await done(['ls'])).to.contain('alias -> real')
    await done(['rm', 'alias'])
    expect(await done(['cat', 'real/inside'])).to.equal('x')
  })

  it('deletes a file at once, a directory only with -r and a yes, and nothing when one is missing', async () => {
    await done(['mkdir', '-p', 'gone/deep'])
    await done(['write', 'gone/deep/file'], 'x')
    await done(['write', 'plain'], 'x')
    expect((await refused(['rm', 'plain', 'missing'])).code).to.equal('not_found')
    expect((await refused(['rm', 'plain', 'gone'])).code).to.equal('conflict')
    expect((await refused(['rm', '-r', 'plain', 'gone'])).status).to.equal(5)
    expect((await stat('plain')).type).to.equal('file')
    expect(await done(['rm', 'plain'])).to.equal(`${workspace}/plain\n`)
    await done(['rm', '-r', 'gone', '--yes'])
    expect((await refused(['stat', 'gone'])).code).to.equal('not_found')
  })

  it('moves and copies', async () => {
    await done(['write', 'one'], '1')
    await done(['mkdir', 'into'])
    expect(await done(['mv', 'one', 'into'])).to.equal(`${workspace}/into/one\n`)
    await done(['mv', 'into/one', 'into/two'])
    await done(['cp', 'into/two', 'three'])
    const directory = await refused(['cp', 'into', 'copy'])
    expect(directory).to.include({ code: 'conflict', hint: 'To copy it with all that is in it: -r' })
    await done(['cp', '-r', 'into', 'copy'])
    expect(await done(['cat', 'three', 'copy/two'])).to.equal('11')
    expect((await refused(['mv', 'missing', 'x'])).message).to.contain('missing')
  })

  it('changes modes and owners', async () => {
    for (const name of ['first', 'second']) await done(['write', name], name)
    await done(['chmod', '600', 'first', 'second'])
    expect((await stat('second')).mode).to.equal(0o600)
    expect((await refused(['chmod', '9', 'first'])).status).to.equal(2)
    expect((await refused(['chown', 'nobody-has-this-name', 'first'])).code).to.equal('not_found')
  })

  it('tells what happens to files while it happens', async () => {
    await done(['mkdir', 'watched'])
    const child = spawn(process.execPath, [bin, 'computer', 'fs', 'watch', 'watched', '--json'], { cwd: amux.project, env: amux.env() })
    children.push(child)
    const note = new Promise<void>((resolve) => child.stderr.on('data', (chunk) => String(chunk).includes('Watching') && resolve()))
    await note
    await done(['write', 'watched/new'], 'x')
    let text = ''
    for await (const chunk of child.stdout) {
      text += String(chunk)
      if (text.includes('"new"') || text.includes('/watched/new"')) break
    }
    const [event] = text.split('\n').filter((line) => line.includes('/watched/new"')).map((line) => JSON.parse(line) as { event: string })
    expect(event).to.have.property('event').that.is.oneOf(['create', 'write', 'rename'])
  })
})
