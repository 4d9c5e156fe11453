#!/usr/bin/env -S node --
// Behind `--`, Node leaves the words to us: it would take an --env-file of ours for its own.
// Nothing here is newer than what Node 12 can parse, so that an old Node says what it lacks instead of stumbling.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  console.error('amux: Node ' + process.versions.node + ' is too old: amux needs Node 22.12 or newer (https://nodejs.org)')
  process.exitCode = 4
} else {
  const { AMUX_HOME, XDG_CACHE_HOME, HOME } = process.env
  const cache = AMUX_HOME ? AMUX_HOME + '/cache' : (XDG_CACHE_HOME || HOME + '/.cache') + '/amux'
  process.getBuiltinModule('node:module').enableCompileCache(cache + '/compile')
  import('../dist/start.js').then(
    (amux) => amux.start(process.argv.slice(2)),
    (error) => {
      console.error('amux: ' + error.message + '\n  In a source checkout: npm run build')
      process.exitCode = 1
    },
  )
}
