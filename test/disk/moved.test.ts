import { expect } from 'chai'
import { describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { listing } from './lister.ts'
import { isRoot, leaveOut, Place } from './place.ts'

/** As kernels do whose overlays have redirect_dir and metacopy on. */
describe('amux-disk and a layer that moves what is below it instead of copying', () => {
  it('restores it, reads from it, and lets nothing half leave', function () {
    if (!isRoot) leaveOut(this, 'it needs root')
    using place = new Place()
    const [base, upper, merged] = ['base', 'upper', 'merged'].map((name) => join(place.root, name)) as [string, string, string]
    execFileSync('bash', ['-ec', `cd ${place.root}; mkdir -p base/d/sub/deep base/e upper work merged; echo 1 > base/d/one; echo s > base/d/sub/s; echo t > base/d/sub/deep/t; echo e > base/e/e`])
    place.trees = [{ name: 'system', path: upper, at: '/', flags: 'layer', base }]
    const mounted = <Value>(script: string, then: () => Value): Value => {
      execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${base},upperdir=${upper},workdir=${place.root}/work,index=off,redirect_dir=on,metacopy=on`, merged])
      try {
        execFileSync('bash', ['-ec', script], { cwd: merged })
        return then()
      } finally {
        execFileSync('umount', [merged])
      }
    }
    const content = () => execFileSync('sh', ['-c', 'find . -type f | sort | xargs head'], { cwd: merged, encoding: 'utf8' })
    const then = mounted('mv d moved; mv moved/sub e/inner; chmod 600 moved/one; mv moved/one moved/named; echo own > moved/own', () => {
      place.create()
      return listing(merged) + content()
    })
    const cat = (path: string) => place.try(['cat', 'v1', path]).stdout.toString()
    expect([cat('/moved/named'), cat('/e/inner/s'), cat('/e/inner/deep/t'), cat('/moved/own')]).to.deep.equal(['1\n', 's\n', 't\n', 'own\n'])
    for (const path of ['/d', '/moved/one', '/moved/none']) expect(place.try(['cat', 'v1', path]).failure, path).to.include({ number: 2 })
    mounted('mv e/inner back; echo more >> moved/named; rm moved/own; mv moved d; chmod 644 back/s; rm -r e', () => undefined)
    place.restore('v1')
    expect(mounted('true', () => listing(merged) + content())).to.equal(then)
    expect(place.try(['export', 'v1']).failure).to.include({ step: 'export' })
  })
})
