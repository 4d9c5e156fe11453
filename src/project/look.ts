import type { AmuxError } from '../contract/index.ts'
import { normalise } from '../errors/index.ts'
import type { Project } from './find.ts'
import { inspect } from './inspect.ts'
import type { ProjectRecord } from './record.ts'
import { doubt } from './store.ts'

/** A project's record as far as it may be followed without asking anybody; else what keeps one from it. */
export type Look = { readonly record: ProjectRecord | undefined; readonly problem?: undefined } | { readonly record?: undefined; readonly problem: AmuxError }

/** Reads, changes nothing, and never throws: for what has to work whatever the record is like. */
export function look(project: () => Project, state: string): Look {
  try {
    const here = project()
    const found = inspect(here, state)
    const problem = doubt(here, found)
    return problem ? { problem } : { record: found.record }
  } catch (error) {
    return { problem: normalise(error) }
  }
}
