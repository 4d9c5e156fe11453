import { checkpointRoutes } from '../routes/checkpoints.ts'
import type { Routes } from '../http/router.ts'
import { serviceRoutes } from '../routes/services.ts'
import { taskRoutes } from '../routes/tasks.ts'

const { 'DELETE /v1/sprites/:name/checkpoints/:id': _, ...checkpoints } = checkpointRoutes

/**
 * What a sprite's own programs may ask for, whichever of its users they run as. Nothing by which they would get more
 * than they have: no files, no programs, no policy, no URL, and the checkpoints stay the way back.
 */
export const insideRoutes: Routes = { ...serviceRoutes, ...taskRoutes, ...checkpoints }
