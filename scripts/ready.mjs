/**
 * Makes a checkout ready, then runs a command in it: `node scripts/ready.mjs [--debian] COMMAND ARGS…`.
 * Plain JavaScript for Node >= 20: it runs before anything is installed. What is up to date is not done again.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const bin = join(root, 'node_modules', '.bin')
const stamps = join(root, '.cache')

/** What the tests use beside Node: program -> Debian package. */
const debian = { git: 'git', tmux: 'tmux', less: 'less', vim: 'vim', htop: 'htop', sudo: 'sudo', tar: 'tar', runuser: 'util-linux', nft: 'nftables', slirp4netns: 'slirp4netns', ip: 'iproute2', getfattr: 'attr', setfacl: 'acl', dig: 'dnsutils', curl: 'curl', socat: 'socat', python3: 'python3', 'mkfs.xfs': 'xfsprogs', 'mkfs.btrfs': 'btrfs-progs', dockerd: 'docker.io', debootstrap: 'debootstrap' }

const args = process.argv.slice(2)
const wantsDebian = args[0] === '--debian'
if (wantsDebian) args.shift()

install()
compile()
if (wantsDebian) packages()
process.exitCode = run(args[0] ?? 'true', args.slice(1))

function install() {
  const lock = sha([join(root, 'package-lock.json')])
  if (existsSync(bin) && stamp('install') === lock) return
  say('installing packages')
  must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  remember('install', lock)
}

function compile() {
  const inputs = ['src', 'plugins', 'scripts'].flatMap((folder) => files(join(root, folder)))
  const sources = sha([...inputs, join(root, 'package.json'), join(root, 'tsconfig.json')])
  if (existsSync(join(root, 'dist')) && existsSync(join(root, 'oclif.manifest.json')) && stamp('build') === sources) return
  say('building')
  must('node', [join(root, 'scripts', 'build.ts')])
  remember('build', sources)
}

function packages() {
  const missing = Object.entries(debian).filter(([program]) => !onPath(program))
  if (missing.length === 0) return
  const names = [...new Set(missing.map(([, name]) => name))]
  const canInstall = process.getuid?.() === 0 && onPath('apt-get')
  if (!canInstall) {
    say(`MISSING: ${names.join(' ')} - tests that drive these programs will say so; install them with: apt-get install ${names.join(' ')}`)
    return
  }
  say(`installing Debian packages: ${names.join(' ')}`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  if (run('apt-get', ['install', '-y', '-qq', ...names], env, 'ignore') === 0) return
  run('apt-get', ['update', '-qq'], env, 'ignore')
  if (run('apt-get', ['install', '-y', '-qq', ...names], env) !== 0) say(`MISSING: ${names.join(' ')} could not be installed`)
}

function must(command, argv) {
  const status = run(command, argv)
  if (status !== 0) process.exit(status)
}

/** Everything from here on runs with the Node and the tools of node_modules/.bin. */
function run(command, argv, env = {}, stdio = 'inherit') {
  const PATH = `${bin}${delimiter}${process.env.PATH ?? ''}`
  const result = spawnSync(command, argv, { cwd: root, stdio, env: { ...process.env, ...env, PATH } })
  if (result.error) say(`${command}: ${result.error.message}`)
  return result.status ?? 1
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).concat('/usr/sbin', '/sbin').some((folder) => existsSync(join(folder, program)))
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'test') return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? files(path) : entry.isFile() ? [path] : []
  })
}

function sha(paths) {
  const hash = createHash('sha256')
  for (const path of paths.toSorted()) hash.update(path).update(statSync(path).size.toString()).update(readFileSync(path))
  return hash.digest('hex')
}

function stamp(name) {
  const path = join(stamps, `${name}.sha256`)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

function remember(name, value) {
  mkdirSync(stamps, { recursive: true })
  writeFileSync(join(stamps, `${name}.sha256`), value)
}

function say(text) {
  process.stderr.write(`amux: ${text}\n`)
}
