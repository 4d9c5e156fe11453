import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installed, record, type Step } from './screen-record.ts'
import { feed, picture, stateOf, witness } from './screen-tools.ts'

const size = { cols: 100, rows: 30 }
const CUTS = 25

const text = Array.from({ length: 300 }, (_, at) => `${at} ${'words of a text '.repeat((at % 9) + 1)}${at % 7 === 0 ? '漢字 🎉' : ''}`).join('\n')
const vimrc = 'set nocompatible showmode\nsyntax on\nset number mouse=a termguicolors cursorline title\n'

const tmux = ['tmux', '-f', '/dev/null', '-S', 'tmux.sock'] as const

/** A program, and what somebody does with it. */
const uses: Readonly<Record<string, { readonly argv: readonly string[]; readonly steps: readonly Step[]; readonly end?: readonly [string, ...string[]] }>> = {
  bash: {
    argv: ['bash', '--norc', '--noprofile', '-i'],
    steps: [
      [/\$ /, 'for i in $(seq 60); do printf "\\e[3%dmrow %d\\e[0m\\n" $((i % 8)) $i; done\r'],
      [/row 60/, `echo ${'long '.repeat(40)}\x1b[D\x1b[D\x7f\x7f\x01\x05`],
      [/long/, '\x15printf "\\e]0;shell\\a\\e[4mdone\\e[0m\\n"\r'],
      [/done[^"]*\$ /s, ''],
    ],
  },
  less: { argv: ['less', '-R', '-N', 'text'], steps: [[/ 1 /, '/words\r'], [/text/, '   '], [/word/, 'n'], [/word/, '-S\r'], [/long/, '\r'], [/word/, 'G'], [/END/, '']] },
  vim: {
    argv: ['vim', '-u', 'vimrc', 'code.c'],
    steps: [
      [/main/, ':vsplit text | echo "split"."ted"\r'],
      [/splitted/, ':wincmd w | call append(3, "added 漢字 line") | set list | echo "lis"."ted"\r'],
      [/listed/, ':syntax off | hi CursorLine ctermbg=blue guibg=#203040 gui=undercurl | echo "colou"."red"\r'],
      [/coloured/, 'ggVjj'],
      [/VISUAL/, ''],
    ],
  },
  htop: { argv: ['htop', '-d', '5'], steps: [[/Load|Tasks|PID/, 't'], [/./s, 'h'], [/this help/, ' '], [/./s, '']] },
  tmux: {
    argv: [...tmux, 'new-session', 'sh', ';', 'set', '-g', 'mouse', 'on', ';', 'split-window', '-h', 'sh', ';', 'split-window', 'sh'],
    steps: [
      [/\[0\].*[#$] /s, 'ls -la --color /\r'],
      [/var/, 'seq 50\r'],
      [/50/, `${tmux.join(' ')} resize-pane -U 3; printf '\\033]2;%s\\007' named; clear; echo cleared\r`],
      [/cleared\D/, `${tmux.join(' ')} copy-mode; echo copied\r`],
      [/\[0\/\d+\]/, ''],
    ],
    end: [...tmux, 'kill-server'],
  },
}

const missing = Object.keys(uses).filter((program) => !installed(program))
if (missing.length > 0) process.stderr.write(`\n  NOT TESTED, because not installed here: the screens of ${missing.join(', ')}\n`)

describe('the screen of a real program', () => {
  let directory = ''
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'amux-screen-'))
    writeFileSync(join(directory, 'text'), text)
    writeFileSync(join(directory, 'vimrc'), vimrc)
    writeFileSync(join(directory, 'code.c'), '#include <stdio.h>\n\n/* a comment */\nint main(void) {\n\treturn printf("%d\\n", 42);\n}\n')
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  for (const [program, { argv, steps, end }] of Object.entries(uses).filter(([name]) => installed(name))) {
    it(`is painted exactly at any moment: ${program}`, async () => {
      const all = await record(argv, size, steps, directory).finally(() => {
        if (end !== undefined) execFileSync(end[0], end.slice(1), { cwd: directory })
      })
      expect(all.length).to.be.greaterThan(500)
      for (let cut = 1; cut <= CUTS; cut++) {
        const at = Math.floor((all.length * cut) / CUTS)
        const truth = witness(size)
        const viewer = witness(size)
        await feed(truth, all.subarray(0, at))
        await feed(viewer, await picture(size, all.subarray(0, at)))
        expect(stateOf(viewer), `after ${at} of ${all.length} bytes`).to.deep.equal(stateOf(truth))
        await feed(truth, all.subarray(at))
        await feed(viewer, all.subarray(at))
        expect(stateOf(viewer), `continued from ${at} of ${all.length} bytes`).to.deep.equal(stateOf(truth))
      }
    }).timeout(60_000)
  }
})
