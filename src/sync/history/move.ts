import { fail } from '../../errors/index.ts'
import type { Tree } from '../trees/tree.ts'
import type { HistoryPlan } from './plan.ts'

/** Carries a file from the source's scratch directory to the same path at the target's. */
export type Carry = (name: string) => Promise<void>

const PACK = 'mkdir -p "${1%/*}" && git pack-objects -q --revs --stdout > "$1"'
const KNOWN = 'git cat-file --batch-check="%(objectname) %(objecttype)"'
const TAKE = 'git index-pack --stdin --fix-thin < "$1" > /dev/null'
const WHOLE = 'git rev-list --objects --quiet --stdin --not --all'

/**
 * All refs at once, and only those that are still where they were seen. The index follows where nothing was staged in it:
 * what was is worth more.
 */
const MOVE = `before=$(git rev-parse -q --verify HEAD)
index=$(git write-tree 2>/dev/null)
tree=$(git rev-parse -q --verify 'HEAD^{tree}' || git hash-object -t tree /dev/null)
git update-ref -m 'amux computer sync' --stdin || exit 1
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

/** Objects first, and only when none is missing the refs that need them. Nothing is ever taken out of a repository. */
export async function moveHistory(source: Tree, target: Tree, { moves, head = '' }: HistoryPlan, has: readonly string[], pack: string, carry: Carry): Promise<Moved> {
  const news = [...new Set([...moves.map((move) => move.new), ...(head.startsWith('refs/') || head === '' ? [] : [head])])]
  if (news.length > 0) {
    const known = (await must(source, KNOWN, 'look at its objects', has.join('\n'))).split('\n').filter((line) => !line.endsWith(' missing') && line !== '')
    const revisions = [...news, ...known.map((line) => `^${line.split(' ')[0]}`)].join('\n')
    await must(source, PACK, 'pack its commits', `${revisions}\n`, [pack])
    await carry(pack)
    await must(target, TAKE, 'take the commits', '', [pack])
    await must(target, WHOLE, 'do without objects that are missing', `${news.join('\n')}\n`)
  }
  const commands = moves.map(({ name, old, new: value }) => (old === undefined ? `create ${name} ${value}\n` : `update ${name} ${value} ${old}\n`))
  return { staged: (await must(target, MOVE, 'move its branches', commands.join(''), [head])).includes('staged') }
}

async function must(tree: Tree, script: string, what: string, input: string, args: readonly string[] = []): Promise<string> {
  const { code, output, said } = await tree.shell(script, { input, args })
  if (code === 0) return output.toString('utf8')
  throw fail('failed', `git ${tree.where} cannot ${what}${said === '' ? '' : `: ${said.split('\n').at(-1)}`}`, { hint: 'Files are in step. To leave history out: --no-git' })
}
