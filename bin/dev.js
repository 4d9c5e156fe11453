#!/usr/bin/env node
// Builds, then runs what was built, looking at the files rather than at the manifest.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

execFileSync(process.execPath, [join(import.meta.dirname, '../scripts/build.ts'), '--quick'], { stdio: ['ignore', 'ignore', 'inherit'] })
const { main } = await import('../dist/main.js')
void main({ root: join(import.meta.dirname, '..'), argv: process.argv.slice(2), development: true })
