import { expect } from 'chai'
import { describe, it } from 'mocha'
import { clean, cleanLine, json, nearest, nearestPhrase } from '../../src/util/text.ts'

describe('Text from elsewhere', () => {
  it('is shown without what a terminal would obey', () => {
    expect(clean('a\u001B[31mred\u001B[0m b')).to.equal('ared b')
    expect(clean('title\u001B]0;owned\u0007!')).to.equal('title!')
    expect(clean('bell\u0007 back\b c1\u009B31m del\u007F')).not.to.match(/\p{Cc}/u)
    expect(clean('\u202Egpj.exe')).to.equal('gpj.exe')
  })

  it('keeps lines and tabs, and every language', () => {
    expect(clean('a\n\tb')).to.equal('a\n\tb')
    expect(clean('naïve 日本 👩‍💻')).to.equal('naïve 日本 👩‍💻')
  })

  it('is one line where a line is wanted', () => {
    expect(cleanLine('a\n\tb\r\nc')).to.equal('a b c')
  })

  it('as JSON reads back as it was, with nothing for a terminal to obey', () => {
    const document = { name: '\u001B[31m \u009B2J \u007F \u2028' }
    expect(JSON.parse(json(document))).to.deep.equal(document)
    expect(json(document)).not.to.match(/\p{Cc}/u)
  })
})

describe('The nearest word', () => {
  const words = ['status', 'start', 'stop', 'session', 'ls', 'rm']
  const cases: Readonly<Record<string, string | undefined>> = { stauts: 'status', strat: 'start', stp: 'stop', sesion: 'session', l: 'ls', mr: 'rm', frobnicate: undefined, xyz: undefined }
  for (const [typed, meant] of Object.entries(cases)) {
    it(`to ${typed} is ${meant ?? 'none'}`, () => {
      expect(nearest(typed, words)).to.equal(meant)
    })
  }
})

describe('The nearest phrase', () => {
  const phrases = ['computer shell', 'computer create', 'computer session ls', 'status'].map((line) => line.split(' '))
  const cases: Readonly<Record<string, string | undefined>> = { 'computer shel': 'computer shell', 'comptuer crate': 'computer create', 'computer help': undefined, 'computer claude': undefined, stats: 'status' }
  for (const [typed, meant] of Object.entries(cases)) {
    it(`to "${typed}" is ${meant ?? 'none'}: every word counts for itself`, () => {
      const words = typed.split(' ')
      expect(nearestPhrase(words, phrases.filter(({ length }) => length === words.length))?.join(' ')).to.equal(meant)
    })
  }
})
