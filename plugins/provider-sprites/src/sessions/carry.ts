import { Recorder } from './recorder.ts'
import { type Entry, readEntries } from './records.ts'
import type { Sprite } from '../sprite.ts'

/**
 * What is known of sessions does not go back in time with the disk they are on. Called before a checkpoint is restored;
 * what it gives is called after it, once programs run again. Logs are those of the checkpoint.
 */
export async function carrySessions(sprite: Sprite): Promise<() => Promise<void>> {
  const recorder = new Recorder(sprite)
  const entries = await readEntries(recorder)
  return async () => {
    const { root } = await recorder.place()
    await sprite.text(['sh'], { input: Buffer.from(script(root, entries, new Date().toISOString())) })
  }
}

/** Whatever was removed meanwhile stays so. */
function script(root: string, entries: readonly Entry[], endedAt: string): string {
  const known = entries.map(({ id }) => id).join('|') || '-'
  return [
    'umask 077',
    `mkdir -p ${quote(root)}/.names && cd ${quote(root)} || exit 1`,
    `for dir in *; do case $dir in ${known}) ;; *) rm -rf -- "$dir" ;; esac; done`,
    ...entries.flatMap(({ id, record, life, status, live }) => [
      `mkdir -p ${id}`,
      put(id, 'record.json', record),
      ...(life ? [put(id, 'life', life)] : []),
      ...(status ? [put(id, 'status', status)] : []),
      ...(live && !status ? [put(id, 'status', { status: 'restored', endedAt })] : []),
    ]),
  ].join('\n')
}

function put(id: string, name: string, value: object): string {
  return `printf %s ${quote(JSON.stringify(value))} > ${id}/.new && mv -f ${id}/.new ${id}/${name} || exit 1`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
