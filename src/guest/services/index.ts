/** Programs that are kept running. */
export { serviceRoute } from './routes.ts'
export { ServiceManager } from './services.ts'
