#!/usr/bin/env -S node --no-concurrent-recompilation --no-concurrent-sparkplug --
// When it exits, Node waits for its threads, and one that compiles may be waiting for the main one, for ever: none does.
// Behind `--`, Node leaves the words to us: it would take an --env-file of ours for its own.
// Nothing here is newer than what Node 12 can parse, so that an old Node says what it lacks instead of stumbling.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  console.error('amux: Node ' + process.versions.node + ' is too old: amux needs Node 22.12 or newer (https://nodejs.org)')
  process.exitCode = 4
} else {
  const { AMUX_HOME, XDG_CACHE_HOME, HOME } = process.env
  const cache = AMUX_HOME ? AMUX_HOME + '/cache' : (XDG_CACHE_HOME || (HOME || process.getBuiltinModule('node:os').homedir()) + '/.cache') + '/amux'
  const fs = process.getBuiltinModule('node:fs')
  // Node's own recursive way never ends where nothing can be made and nothing says so, as below /proc.
  const make = (path) => {
    if (path === '' || fs.existsSync(path)) return
    make(path.slice(0, path.lastIndexOf('/') + 1).replace(/\/+$/, ''))
    fs.mkdirSync(path, { mode: 0o700 })
  }
  let impossible = false
  try {
    make(cache)
    process.getBuiltinModule('node:module').enableCompileCache(cache + '/compile')
  } catch (error) {
    // Where it may not be written, it goes on without.
    impossible = error.code === 'ENOENT'
  }
  if (impossible) {
    console.error('amux: the directory ' + cache + ' cannot be made\n  Let AMUX_HOME, XDG_CACHE_HOME or HOME name a place for files.')
    process.exit(1)
  }
  import('../dist/start.js').then(
    (amux) => amux.start(process.argv.slice(2)),
    (error) => {
      console.error('amux: ' + error.message + '\n  In a source checkout: npm run build')
      process.exitCode = 1
    },
  )
}
