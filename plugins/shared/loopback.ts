const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** Whether a URL's host is this machine: nobody is on the way. */
export function isLoopback({ hostname }: Pick<URL, 'hostname'>): boolean {
  return LOOPBACK.test(hostname)
}
