import { relative } from 'node:path'
import { root } from './amux.ts'

/**
 * In a shell in a mount namespace of its own: shows this checkout, whose path is `from` there, in the directory `at`, to those
 * who may not enter the checkout itself: somebody's own, made with `mktemp -d`, lets nobody else in.
 */
export function opened(from: string, at: string): string {
  const each = `to=${at}/"\${one##*/}"; if [ -d "$one" ]; then mkdir -p "$to"; elif [ -e "$one" ]; then : > "$to"; else continue; fi; mount --bind "$one" "$to" || exit`
  return `for one in ${from}/* ${from}/.[!.]*; do ${each}; done`
}

/** Where something of the checkout is then. What is elsewhere stays there. */
export function within(at: string, path: string): string {
  const below = relative(root, path)
  return below.startsWith('..') ? path : `${at}/${below}`
}
