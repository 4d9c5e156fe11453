import type { FileEvent, Files, FileStat } from '../../contract/index.ts'
import { type FileList, Path } from '../../protocol/index.ts'
import type { Calls } from './calls.ts'
import { documents } from './documents.ts'

export function guestFiles(calls: Calls): Files {
  return {
    read: (path, { offset, length, signal } = {}) => calls.download(Path.file, { query: { path, offset, length }, signal }),
    write: (path, data, { mode, user, parents, signal } = {}) =>
      calls.upload('PUT', Path.file, data, { query: { path, mode: octal(mode), user, parents }, signal }),
    stat: (path) => calls.get<FileStat>(Path.stat, (value) => 'type' in value && 'size' in value, { query: { path } }),
    async list(path) {
      return (await calls.get<FileList>(Path.files, (value) => 'entries' in value && Array.isArray(value.entries), { query: { path } })).entries
    },
    async mkdir(path, { parents, mode, user } = {}) {
      await calls.send('POST', Path.mkdir, { query: { path, mode: octal(mode), user, parents } })
    },
    async rename(from, to) {
      await calls.send('POST', Path.rename, { query: { from, to } })
    },
    async chmod(path, mode, { recursive } = {}) {
      await calls.send('POST', Path.chmod, { query: { path, mode: octal(mode), recursive } })
    },
    async chown(path, user, { recursive } = {}) {
      await calls.send('POST', Path.chown, { query: { path, user, recursive } })
    },
    async copy(from, to, { recursive, preserve, signal } = {}) {
      await calls.send('POST', Path.copy, { query: { from, to, recursive, preserve }, signal })
    },
    async watch(paths, { recursive, signal } = {}) {
      const { stream } = await calls.open('GET', `${Path.watch}?${paths.map((path) => `path=${encodeURIComponent(path)}`).join('&')}${recursive === true ? '&recursive=1' : ''}`, { signal }, true)
      return documents<FileEvent>(stream, (value) => 'path' in value && 'event' in value, signal)
    },
    async remove(path, { recursive } = {}) {
      await calls.send('DELETE', Path.file, { query: { path, recursive } })
    },
  }
}

function octal(mode: number | undefined): string | undefined {
  return mode?.toString(8)
}
