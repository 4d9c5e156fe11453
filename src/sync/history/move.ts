import { fail } from '../../errors/index.ts'
import type { Ran, Tree } from '../trees/tree.ts'
import type { HistoryPlan } from './plan.ts'

/** Carries a file from the source's scratch directory to the same path at the target's. */
export type Carry = (name: string) => Promise<void>

/** Of a list of commits, those without `^`; what the source does not know of the others it cannot leave out. */
const PACK = `wanted=$(cat)
known=$(printf '%s\\n' "$wanted" | sed -n 's/^\\^//p' | git cat-file --batch-check='%(objectname)' | sed '/ missing$/d; s/^/^/')
mkdir -p "\${1%/*}" || exit
{ printf '%s\\n' "$wanted" | sed '/^\\^/d'; printf '%s\\n' "$known"; } | git pack-objects -q --revs --stdout > "$1"`

const [UNPACKED, INCOMPLETE] = [81, 82]

/**
 * Objects first, and only when none is missing the refs: all at once, and only those that are still where they were seen.
 * The index follows where nothing was staged in it: what was is worth more.
 */
const MOVE = `commands=$(cat)
before=$(git rev-parse -q --verify HEAD)
index=$(git write-tree 2>/dev/null)
tree=$(git rev-parse -q --verify 'HEAD^{tree}' || git hash-object -t tree /dev/null)
if [ -n "$2" ]
then
git index-pack --stdin --fix-thin < "$2" >/dev/null || exit ${UNPACKED}
{ printf '%s\\n' "$commands" | cut -d ' ' -f 3; printf '%s\\n' "$3"; } | sed '/^$/d' | git rev-list --objects --quiet --stdin --not --all || exit ${INCOMPLETE}
fi
if [ -n "$commands" ]
then printf '%s\\n' "$commands" | git update-ref -m 'amux computer sync' --stdin || exit 1
fi
case $1 in
'') ;;
refs/*) git symbolic-ref HEAD "$1" || exit 1 ;;
*) git update-ref --no-deref HEAD "$1" || exit 1 ;;
esac
[ "$before" = "$(git rev-parse -q --verify HEAD)" ] && exit 0
if [ "$index" = "$tree" ] && git read-tree HEAD 2>/dev/null
then git update-index -q --refresh >/dev/null 2>&1
else echo staged
fi
exit 0`

export interface Moved {
  /** Something was staged at the target: its index stayed as it was. */
  readonly staged: boolean
}

/** `has`: commits that the target has. Nothing is ever taken out of a repository. */
export async function moveHistory(source: Tree, target: Tree, { moves, head = '' }: HistoryPlan, has: readonly string[], pack: string, carry: Carry): Promise<Moved> {
  const detached = head.startsWith('refs/') ? '' : head
  const wanted = [...new Set([...moves.map((move) => move.new), ...(detached === '' ? [] : [detached])])]
  if (wanted.length > 0) {
    done(source, await source.shell(PACK, { input: [...wanted, ...has.map((commit) => `^${commit}`)].join('\n'), args: [pack] }), 'pack its commits')
    await carry(pack)
  }
  const commands = moves.map(({ name, old, new: value }) => (old === undefined ? `create ${name} ${value}` : `update ${name} ${value} ${old}`))
  const ran = await target.shell(MOVE, { input: commands.join('\n'), args: [head, wanted.length > 0 ? pack : '', detached] })
  const why = { [UNPACKED]: 'unpack the commits', [INCOMPLETE]: 'take commits of which a part is missing' }
  return { staged: done(target, ran, why[ran.code] ?? 'move its branches').includes('staged') }
}

function done(tree: Tree, { code, output, said }: Ran, what: string): string {
  if (code === 0) return output.toString('utf8')
  throw fail('failed', `git ${tree.where} cannot ${what}${said === '' ? '' : `: ${said.split('\n').at(-1)}`}`, { hint: 'Files are in step. To leave history out: --no-git' })
}
