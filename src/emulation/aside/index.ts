/** amux's own programs, which work on a computer from outside. */
export { type Answer, escapeField, type ToolFailure, toolError } from './answer.ts'
export { finishTool, type PreparedTool, runTool, Tool, type ToolOptions, wasEnded } from './tool.ts'
