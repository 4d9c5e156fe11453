import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { fail } from '../../errors/index.ts'
import type { AmuxError } from '../../contract/index.ts'

/** DNS carries no more. */
const LONGEST_NAME = 253
const LONGEST_LABEL = 63
const WILDCARD = '*.'

const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/
const ascii = /^[\u0021-\u007E]*$/
/** The four dots that count as one in a domain name. */
const dots = /[\u3002\uFF0E\uFF61]/g

/** `Example.COM.`, `*.bücher.example`, `*` as rules have them: lower case, ASCII, without a last dot. */
export function normaliseDomain(text: string): string {
  if (text === '*') return text
  const wild = text.startsWith(WILDCARD)
  const name = wild ? text.slice(WILDCARD.length) : text
  if (name.includes('*')) throw refuse(text, 'has a * in a place of no meaning', 'Write example.com, *.example.com (everything below it) or * (everything).')
  const ready = normaliseName(name, text)
  const whole = wild ? WILDCARD + ready : ready
  if (whole.length > LONGEST_NAME) throw refuse(text, `is longer than ${LONGEST_NAME} characters`)
  return whole
}

/** The same of a name alone, without wildcards. `shown`: what the user wrote. */
export function normaliseName(name: string, shown = name): string {
  refuseOther(name, shown)
  const plain = ascii.test(name) ? name : toAscii(name, shown)
  const lower = plain.toLowerCase()
  const ready = lower.endsWith('.') ? lower.slice(0, -1) : lower
  const labels = ready.split('.')
  if (labels.some((one) => one === '')) throw refuse(shown, 'has an empty part between its dots')
  if (labels.some((one) => one.length > LONGEST_LABEL)) throw refuse(shown, `has a part longer than ${LONGEST_LABEL} characters`)
  const bad = labels.find((one) => !label.test(one))
  if (bad !== undefined) throw refuse(shown, `has the part ${JSON.stringify(bad)}, which no host name has`)
  // What a URL would take for an address, like 0x7f.1, has no domain either.
  if (/^(?:\d+|0x[\da-f]*)$/.test(labels.at(-1) ?? '')) throw address(shown)
  if (ready.length > LONGEST_NAME) throw refuse(shown, `is longer than ${LONGEST_NAME} characters`)
  return ready
}

/** What people write for a domain that is none. */
function refuseOther(name: string, shown: string): void {
  if (name === '') throw refuse(shown, 'is empty')
  if (isIP(name) > 0 || isIP(name.replace(/^\[(.*)\]$/, '$1').replace(/\/\d+$/, '')) > 0) throw address(shown)
  const url = /^[a-z][a-z\d+.-]*:\/\/(?:[^/@]*@)?([^/:?#]+)/i.exec(name)?.[1]
  if (url !== undefined) throw refuse(shown, 'is a URL', `Write its domain alone: ${url}`)
  const [, host, port] = /^([^:/]+):(\d+)$/.exec(name) ?? []
  if (port !== undefined) throw refuse(shown, 'has a port', `A policy is about domains, whatever the port: ${host}`)
  const path = /^([^/]+)\//.exec(name)?.[1]
  if (path !== undefined) throw refuse(shown, 'has a path', `A policy is about domains: ${path}`)
}

/** Names in other scripts, in the form in which DNS has them. */
function toAscii(name: string, shown: string): string {
  // Node would take what is no name for a URL's host and decode it.
  if (/[\s%?#@\\^|<>[\]:/]/u.test(name)) throw refuse(shown, 'is no domain')
  const found = domainToASCII(name.normalize('NFC').replace(dots, '.'))
  if (found === '') throw refuse(shown, 'is no domain')
  return found
}

function address(shown: string): AmuxError {
  return refuse(shown, 'is an address', 'A policy is about domains: an address is open while an allowed name leads to it. Give the name.')
}

function refuse(shown: string, why: string, hint?: string): AmuxError {
  const text = shown.length > 80 ? `${shown.slice(0, 77)}…` : shown
  return fail('invalid_argument', `${JSON.stringify(text)} ${why}`, { hint })
}
