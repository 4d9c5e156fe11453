/** Codes, their exit statuses, and the one place where a foreign error becomes ours. */
export { codes } from './codes.ts'
export { type ErrorDetails, fail, hasCode, isAmuxError } from './error.ts'
export { normalise } from './normalise.ts'
