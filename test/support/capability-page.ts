/** `docs/capabilities.md`, as the runs of the conformance suite found it: each of them owns one column and one section. */
import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Capabilities, CapabilityId } from '../../src/contract/index.ts'
import type { ConformanceReport } from '../../src/testkit/index.ts'

const page = join(import.meta.dirname, '../../docs/capabilities.md')

/** What a run found is what the page says. With AMUX_DOCS=write the page is made to say it. */
export function onThePage(column: string): (report: ConformanceReport) => void {
  return ({ capabilities, failed, title }) => {
    expect(failed, 'what failed is on no page').to.deep.equal([])
    const text = readFileSync(page, 'utf8')
    const wanted = withSection(withColumn(text, column, capabilities), column, title, capabilities)
    if (process.env['AMUX_DOCS'] === 'write') writeFileSync(page, wanted)
    else expect(text, 'docs/capabilities.md is not what was found: run this test again with AMUX_DOCS=write').to.equal(wanted)
  }
}

function withColumn(text: string, column: string, capabilities: Capabilities): string {
  const lines = text.split('\n')
  const first = lines.findIndex((line) => line.startsWith('| capability |'))
  const last = lines.findIndex((line, at) => at > first && !line.startsWith('|'))
  const rows = lines.slice(first, last).map(cellsOf)
  const [head = []] = rows
  if (!head.includes(column)) head.push(column)
  const table = new Map(rows.slice(2).map(([id = '', ...cells]) => [id, cells]))
  const body = Object.entries(capabilities).map(([id, { fidelity }]) => {
    const cells = head.slice(1).map((_, at) => table.get(id)?.[at] ?? '')
    cells[head.indexOf(column) - 1] = fidelity
    return [id, ...cells]
  })
  const made = [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`)
  return [...lines.slice(0, first), ...made, ...lines.slice(last)].join('\n')
}

function cellsOf(line: string): string[] {
  return line.split('|').slice(1, -1).map((cell) => cell.trim())
}

/** Why and what instead, for what is not the provider's own. */
function withSection(text: string, column: string, title: string, capabilities: Capabilities): string {
  const [before = '', ...sections] = text.trimEnd().split(/\n+(?=## )/)
  // Its keys are capability ids.
  const rows = (Object.entries(capabilities) as [CapabilityId, Capabilities[CapabilityId]][]).flatMap(([id, { fidelity, note, workaround }]) =>
    note === undefined ? [] : [`- **${id}**, ${fidelity}: ${[note, workaround].filter(Boolean).join('. ')}`],
  )
  const made = `## ${column}: ${title}\n\n${rows.join('\n')}`
  const others = sections.filter((section) => !section.startsWith(`## ${column}: `))
  return `${[before, ...[...others, made].toSorted()].join('\n\n')}\n`
}
