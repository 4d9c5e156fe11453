import type { Context } from 'mocha'

/**
 * A test that needs a second try on a machine too busy for it is not silently good: it is named. Real programs,
 * terminals and kernels are involved, and a defect that comes and goes shows here first.
 */
export const mochaHooks = {
  afterEach(this: Context): void {
    const test = this.currentTest
    // Mocha's types leave out what its own reporters read.
    const tries = (test as { _currentRetry?: number } | undefined)?._currentRetry ?? 0
    if (test?.state === 'passed' && tries > 0) process.stderr.write(`UNSTEADY, passed at try ${tries + 1}: ${test.fullTitle()}\n`)
  },
}
