// Loggers with names: what has no level of its own goes by the one above.
import { expect, test } from 'vitest'
import { LogLevels } from '../../../src/runtime/levels.ts'
import { recordingLogger, type LogLine } from '../../../src/runtime/log.ts'

test('a level holds for the logger and those below it, from the next line on', () => {
  const lines: LogLine[] = []
  const levels = new LogLevels(recordingLogger(lines), 'WARN')
  const above = levels.logger('a')
  const below = levels.logger('a.b').child({ part: 1 })
  const say = (text: string): string[] => {
    lines.length = 0
    for (const logger of [above, below]) {
      logger.debug(`debug ${text}`)
      logger.info({ n: 1 }, `info ${text}`)
      logger.error({ n: 1 }, `error ${text}`)
    }
    return lines.map(({ level, fields }) => `${level}${fields['part'] === 1 ? ' below' : ''}`)
  }
  expect(say('at first')).toEqual(['error', 'error below'])
  levels.set('a', 'INFO')
  expect(say('a')).toEqual(['info', 'error', 'info below', 'error below'])
  levels.set('a.b', 'FATAL')
  expect(say('a.b')).toEqual(['info', 'error'])
  levels.unset('a')
  expect(say('root')).toEqual(['error'])
  levels.unset('a.b')
  levels.unset('root')
  levels.set('root', 'TRACE')
  expect(say('all')).toEqual(['debug', 'info', 'error', 'debug below', 'info below', 'error below'])
  expect(levels.names).toEqual(['root', 'a', 'a.b'])
})
