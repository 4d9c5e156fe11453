/** Prints all measurements as one table: `npm run bench [NAME…]`. Each file beside this one measures one thing. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Row } from './measure.ts'

const helpers = new Set(['measure.ts', 'run.ts'])
const wanted = process.argv.slice(2)
const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && !helpers.has(file)).toSorted()

const rows: Row[] = []
for (const file of files) {
  if (wanted.length > 0 && !wanted.includes(file.replace(/\.ts$/, ''))) continue
  process.stderr.write(`measuring ${file}\n`)
  const module = (await import(join(import.meta.dirname, file))) as { default?: Bench }
  if (module.default !== undefined) rows.push(...(await module.default()))
}
print(rows)

function print(rows: readonly Row[]): void {
  const head = ['what', 'amux', 'peer', 'ratio', 'target', '']
  const body = rows.map((row) => [row.what, row.ours, row.peer, row.ratio?.toFixed(2) ?? '', row.target, row.met ? 'ok' : 'MISSED'])
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((cells) => cells[column]?.length ?? 0)))
  for (const cells of [head, ...body]) {
    process.stdout.write(`${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`)
  }
}
