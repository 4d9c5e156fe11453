import { Tool } from '../aside/index.ts'
import { explain } from './explain.ts'
import { parsePoint, type Point } from './info.ts'
import { type Disk, ENGINE, STORE } from './store.ts'

/** All points of a computer, newest first. */
export async function points(computer: Disk): Promise<readonly Point[]> {
  const found: Point[] = []
  const tool = await Tool.start(computer, [ENGINE, 'ls', STORE], { store: true, explain })
  await tool.end()
  for await (const { word } of tool.answers()) if (word !== 'waiting') found.push(parsePoint(word))
  return found
}
