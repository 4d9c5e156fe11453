import { reporters, type MochaOptions, Runner, type Test } from 'mocha'

/**
 * A test that needs a second try on a machine too busy for it is not silently good: it is named, and what failed is
 * said. Real programs, terminals and kernels are involved, and a defect that comes and goes shows here first.
 */
class Loud extends reporters.Spec {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options)
    const unsteady = new Map<string, number>()
    runner.on(Runner.constants.EVENT_TEST_RETRY, (test: Test, error: Error) => {
      const title = test.fullTitle()
      unsteady.set(title, (unsteady.get(title) ?? 1) + 1)
      process.stderr.write(`FAILED, and is tried again: ${title}\n${error.stack ?? String(error)}\n`)
    })
    runner.on(Runner.constants.EVENT_TEST_PASS, (test: Test) => {
      const tries = unsteady.get(test.fullTitle())
      if (tries !== undefined) process.stderr.write(`UNSTEADY, passed at try ${tries}: ${test.fullTitle()}\n`)
    })
  }
}

/** Mocha takes a reporter by `require`. */
export { Loud as 'module.exports' }
