import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listing } from './lister.ts'
import { isRoot, Place } from './place.ts'

interface Entry {
  readonly path: string
  readonly type?: string
  readonly content?: string
  readonly link?: string
  readonly size?: number
  readonly device?: readonly [number, number]
  readonly more?: Readonly<Record<string, string>>
}

const record = (key: string, value: string) => {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + 1
  while (length !== rest + String(length).length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}

function header(name: string, type: string, size: number, [major, minor]: readonly [number, number] = [0, 0]): Buffer {
  const block = Buffer.alloc(512)
  block.write(name.slice(0, 99))
  for (const [at, value, width] of [[100, 0o644, 8], [108, 0, 8], [116, 0, 8], [124, size, 12], [136, 0, 12], [329, major, 8], [337, minor, 8]] as const) block.write(value.toString(8).padStart(width - 1, '0'), at)
  block.write(type, 156)
  block.write('ustar\x0000', 257)
  block.fill(' ', 148, 156)
  block.write(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

const padded = (content: Buffer) => Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)])

function entry({ path, type = '0', content = '', link, size, device, more = {} }: Entry): Buffer {
  const extension = Buffer.from(Object.entries({ path, ...(link === undefined ? {} : { linkpath: link }), ...more }).map(([key, value]) => record(key, value)).join(''))
  return Buffer.concat([header('pax', 'x', extension.length), padded(extension), header(path, type, size ?? content.length, device), padded(Buffer.from(content))])
}

const FIRST = entry({ path: 'amux-checkpoint.json', content: '{}', more: { 'AMUX.tree.0': '0 home /home/amux' } })
const ROOT = { path: 'trees/home/', type: '5' }
const file = (path: string): Entry => ({ path: `trees/home/${path}`, content: 'x' })
const directory = (path: string): Entry => ({ path: `trees/home/${path}/`, type: '5' })

const HOSTILE: Record<string, readonly Entry[]> = {
  'an absolute path': [ROOT, { path: '/etc/passwd', content: 'x' }],
  'a path that leads out': [ROOT, file('../x')],
  'dots inside': [ROOT, directory('a'), file('a/../../x')],
  'an empty name': [ROOT, file('a//b')],
  'a dot': [ROOT, file('.')],
  'a name that is too long': [ROOT, file('n'.repeat(256))],
  'a name twice': [ROOT, file('a'), file('a')],
  'a name in another order': [ROOT, file('b'), file('a')],
  'a file below a file': [ROOT, file('a'), file('a/b')],
  'a directory that never came': [ROOT, file('a/b')],
  'a tree that was not announced': [ROOT, { path: 'trees/other/', type: '5' }],
  'something outside the trees': [ROOT, { path: 'other', content: 'x' }],
  'a tree that is a file': [{ path: 'trees/home/', type: '0' }],
  'a hard link to what is not there': [ROOT, { path: 'trees/home/l', type: '1', link: 'trees/home/nothing' }],
  'a hard link out of the trees': [ROOT, { path: 'trees/home/l', type: '1', link: '/etc/passwd' }],
  'a hard link that leads out': [ROOT, { path: 'trees/home/l', type: '1', link: 'trees/home/../../etc' }],
  'a hard link to itself': [ROOT, { path: 'trees/home/l', type: '1', link: 'trees/home/l' }],
  'a hard link to a directory': [ROOT, directory('d'), { path: 'trees/home/l', type: '1', link: 'trees/home/d' }],
  'a link without a target': [ROOT, { path: 'trees/home/l', type: '2' }],
  'a device': [ROOT, { path: 'trees/home/sda', type: '4', device: [8, 0] }],
  'a terminal': [ROOT, { path: 'trees/home/tty', type: '3', device: [4, 1] }],
  'a directory with content': [ROOT, { path: 'trees/home/d/', type: '5', content: 'x' }],
  'a type that is none': [ROOT, { path: 'trees/home/x', type: 'Z' }],
  'an attribute of nobody': [ROOT, { ...file('a'), more: { 'SCHILY.xattr.system.secret': 'x' } }],
  'an attribute of the overlay': [ROOT, { ...file('a'), more: { 'SCHILY.xattr.trusted.overlay.redirect': '/etc' } }],
  'an attribute twice': [ROOT, { ...file('a'), more: { 'SCHILY.xattr.user.a': '1', 'SCHILY.xattr.user.a\0': '2' } }],
  'an extension of its own': [ROOT, { ...file('a'), more: { 'GNU.sparse.map': '0,1' } }],
  'a size that is none': [ROOT, { ...file('a'), more: { size: '99999999999999999999999' } }],
  'a negative size': [ROOT, { ...file('a'), more: { size: '-1' } }],
  'a size beyond the end': [ROOT, { ...file('a'), size: 1_000_000 }],
  'an absurd size': [ROOT, { ...file('a'), more: { size: String(2 ** 59) } }],
}

describe('amux-disk, exported and imported', () => {
  let place: Place
  let tar: Buffer
  let wanted: string
  before(() => {
    place = new Place()
    place.sh(`mkdir -p d/e empty; echo 1 > d/f; ln d/f d/e/g; ln -s /etc/passwd link; mkfifo p; head -c 1500000 /dev/urandom > large; truncate -s 3M sparse; printf x >> sparse
      setfattr -n user.a -v b d; setfacl -m u:5:r d/f; chmod 4755 large; touch -d '2011-11-11 11:11:11.123456789' d; printf n > $'new\\nline\\xff'; touch "$(printf 'n%.0s' $(seq 255))"
      python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('socket')"`)
    if (isRoot) place.sh('mknod w c 0 0; chown 3000000:70000 d/e')
    wanted = listing(place.home)
    place.create()
    tar = place.try(['export', 'v1']).stdout
  })
  after(() => place[Symbol.dispose]())

  it('moves a point to another computer whole', () => {
    using other = new Place()
    expect(other.run(['import', '{"from":"there"}'], { input: tar })).to.include({ id: 'v1' })
    expect(other.list()[0]).to.deep.include({ meta: { from: 'there' } })
    other.sh('echo here > else')
    other.restore('v1')
    expect(listing(other.home)).to.equal(wanted)
    expect(other.try(['verify']).stdout.toString()).to.equal('sound\n')
    expect(other.try(['export', 'v1']).stdout.length).to.equal(tar.length)
  })

  it('is a tar that others read', () => {
    const directory = join(place.root, 'unpacked')
    mkdirSync(directory)
    writeFileSync(join(place.root, 'x.tar'), tar)
    execFileSync('bash', ['-c', `tar -C ${directory} --xattrs --xattrs-include='*' -xpf ${join(place.root, 'x.tar')} 2>/dev/null`])
    const own = listing(join(directory, 'trees/home')).split('\n').filter((line) => !/socket|sparse|posix_acl/.test(line))
    // GNU tar knows neither sockets nor these attributes of ours, and fills holes.
    for (const line of own.filter((line) => /^d\/f|^large|^link|^new/.test(line))) expect(wanted).to.include(line)
    expect(JSON.parse(execFileSync('tar', ['-xOf', join(place.root, 'x.tar'), 'amux-checkpoint.json'], { encoding: 'utf8', stdio: 'pipe' }))).to.deep.include({ format: 1, id: 'v1', meta: { n: 1 } })
  })

  const refuses = (input: Buffer): number | undefined => {
    using other = new Place()
    const got = other.try(['import', '{}'], { input })
    expect(got.failure?.step).to.equal('import')
    expect([other.ids(), other.packs()]).to.deep.equal([[], []])
    return got.failure?.number
  }

  for (const [what, entries] of Object.entries(HOSTILE)) {
    it(`refuses ${what}`, () => {
      expect(refuses(Buffer.concat([FIRST, ...entries.map(entry), entry({ path: 'amux-end', content: 'entries 1\nsum 0\n' }), Buffer.alloc(1024)]))).to.be.oneOf([74, 84])
    })
  }

  it('refuses what was cut anywhere, changed anywhere, or is no such thing', () => {
    for (const length of [0, 1, 511, 512, 1024, 5000, tar.length / 2, tar.length - 3000, tar.length - 1100, tar.length - 1600]) expect(refuses(tar.subarray(0, Math.floor(length))), String(length)).to.equal(74)
    for (const at of [100, 1600, 30_000, 1_000_000, tar.length - 2000]) {
      const changed = Buffer.from(tar)
      changed[at]! ^= 1
      expect(refuses(changed), String(at)).to.be.oneOf([74, 84])
    }
    expect(refuses(Buffer.alloc(100_000))).to.equal(74)
    expect(refuses(Buffer.from('not a tar'.repeat(1000)))).to.equal(74)
  })

  it('refuses an end that counts wrong', () => {
    expect(refuses(Buffer.concat([FIRST, entry(ROOT), entry({ path: 'amux-end', content: 'entries 1\nsum 0000000000000000\n' })]))).to.equal(84)
  })

  const LAYERED = entry({ path: 'amux-checkpoint.json', content: '{}', more: { 'AMUX.tree.0': '2 system /', 'AMUX.tree.1': '1 workspace /p' } })
  const whole = (...entries: readonly Entry[]) => entries.map(entry)
  const rule = (...fields: readonly string[]) => fields.join('\t')
  const bad = (flags: readonly string[], ...parts: readonly Buffer[]) => {
    using other = new Place()
    const got = other.try(['import', '{}', ...flags], { input: Buffer.concat([...parts, entry({ path: 'amux-end', content: 'entries 1\nsum 0\n' }), Buffer.alloc(1024)]) })
    expect([other.ids(), other.packs()]).to.deep.equal([[], []])
    return got.failure
  }

  it('lets no power over the machine in from anywhere else', () => {
    const setuid = Buffer.from(entry(file('su')))
    const mode = setuid.length - 1024 + 100
    setuid.write('0004755\0', mode)
    const head = setuid.subarray(setuid.length - 1024, setuid.length - 512)
    head.fill(' ', 148, 156)
    head.write(`${head.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148)
    expect(bad(['--portable'], FIRST, entry(ROOT), setuid)).to.include({ number: 1, step: 'import', subject: 'trees/home/su' })
    expect(bad(['--portable'], FIRST, ...whole(ROOT, { ...file('cap'), more: { 'SCHILY.xattr.security.capability': 'x' } }))).to.include({ number: 1, step: 'import' })
    const device: Entry = { path: 'trees/system/sda', type: '4', device: [8, 0] }
    expect(bad(['--portable'], LAYERED, ...whole({ path: 'trees/system/', type: '5' }, device))).to.include({ number: 1, step: 'import', subject: 'trees/system/sda' })
  })

  it('takes no more than an archive says it holds', () => {
    expect(bad(['--most', '1'], FIRST, ...whole(ROOT, file('a'), file('b')))).to.include({ number: 27, step: 'import' })
  })

  it('leaves out what nobody wants, and still checks all of it', () => {
    using other = new Place()
    const tarOf = place.try(['export', 'v1', '--portable', '--origin', '{"from":"here"}']).stdout
    const got = other.try(['import', '{}', rule('home', 'd', 'part', '/part', ''), '--owner', '*=7:8', '--portable'], { input: tarOf })
    expect(got.status, got.stdout.toString()).to.equal(0)
    expect(JSON.parse(execFileSync('tar', ['-xOf', '-', 'amux-checkpoint.json'], { input: tarOf, encoding: 'utf8', stdio: 'pipe' }))).to.deep.include({ origin: { from: 'here' } })
    const names = execFileSync('tar', ['tvf', '-', '--numeric-owner'], { input: other.try(['export', 'v1']).stdout, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] })
    expect(names).to.match(/ 7\/8 .*trees\/part\/e\/g link to trees\/part\/f/).and.not.to.contain('large')
    const bent = Buffer.from(tarOf)
    bent[1_000_000]! ^= 1
    using another = new Place()
    expect(another.try(['import', '{}', rule('home', 'd', 'part', '/part', '')], { input: bent }).failure?.step).to.equal('import')
    expect(another.try(['import', '{}', rule('home', 'nowhere', 'part', '/part', '')], { input: tarOf }).failure).to.include({ step: 'import', number: 2 })
    expect(another.ids()).to.deep.equal([])
  })

  if (isRoot) {
    it('makes a home of a part of a system, and the other way round', () => {
      using system = new Place()
      system.trees = [{ name: 'system', path: system.home, at: '/', flags: 'layer' }]
      system.sh("mkdir etc root; echo x > root/.x; echo y > etc/y; mknod root/gone c 0 0; setfattr -n trusted.overlay.opaque -v y root; chmod 4755 root/.x")
      system.create()
      using other = new Place()
      other.run(['import', '{}', rule('system', 'root', 'home', '/home/amux', ''), '--portable'], { input: system.try(['export', 'v1', '--portable']).stdout })
      other.restore('v1')
      expect(other.sh('ls -A; cat .x; stat -c %a .x; getfattr -m - -d . | wc -l')).to.equal('.x\nx\n755\n0\n')
      other.run(['import', '{}', rule('home', '', 'home', '/root', 'layer,opaque')], { input: other.try(['export', 'v1']).stdout })
      expect(other.try(['export', 'v2']).stdout.toString('latin1')).to.contain('trusted.overlay.opaque=y')
    })
  }
})
