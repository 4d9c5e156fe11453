import { describe, test } from 'node:test'
import { conformance } from 'amux/testkit'
import { descriptor } from '../dist/register.js'

conformance({ test, describe }, { descriptor, expect: { sessions: 'emulated', tty: 'emulated' } })
