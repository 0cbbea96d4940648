// Keys of our own.

import { boolean, int, long, string } from '../key.ts'
import { releases } from '../releases.ts'

export const odradekKeys = {
  'odradek.as.version': string({
    default: null,
    values: releases,
    works: true,
    doc: 'A Kafka release whose APIs, versions and features alone are served; unset serves all that is known.',
  }),
  'odradek.broker.max.bytes': long({
    default: -1,
    min: 1024,
    or: -1,
    works: true,
    doc: 'Bytes of unanswered requests over all connections at which the broker stops reading; -1: a part of odradek.memory.bytes.',
  }),
  'odradek.broker.max.requests': int({
    default: 100_000,
    min: 1,
    works: true,
    doc: 'Unanswered requests over all connections at which the broker stops reading.',
  }),
  'odradek.connection.max.bytes': long({
    default: 134_217_728,
    min: 1024,
    works: true,
    doc: 'Bytes of unanswered requests on one connection at which the broker stops reading from it.',
  }),
  'odradek.connection.max.requests': int({
    default: 1000,
    min: 1,
    works: true,
    doc: 'Unanswered requests on one connection at which the broker stops reading from it.',
  }),
  'odradek.fetch.memory.bytes': long({
    default: -1,
    min: 1_048_576,
    or: -1,
    works: true,
    doc: 'Memory for records read from files that wait to be sent to consumers; beyond it they get less at a time, or nothing yet; -1: a part of odradek.memory.bytes.',
  }),
  'odradek.flush.on.acks.all': boolean({
    default: true,
    works: true,
    doc: 'Answers acks=all only after the records were forced to disk; one sync serves every request that waits.',
  }),
  'odradek.max.open.files': int({
    default: 1024,
    min: 16,
    works: true,
    doc: 'Files of segments kept open; beyond it those used longest ago are closed until needed again, save those with unsynced bytes. The other descriptors of the process are left for connections.',
  }),
  'odradek.memory.bytes': long({
    default: 1_073_741_824,
    min: 67_108_864,
    works: true,
    doc: 'What all pools of memory together may hold for clients: requests, answers, the tail, reads, compaction, state. They have fixed parts of it and take them only when they are needed.',
  }),
  'odradek.request.max.bytes': int({
    default: 8_388_608,
    min: 1024,
    works: true,
    doc: 'Largest request other than Produce; a larger one closes the connection.',
  }),
  'odradek.request.max.elements': int({
    default: 100_000,
    min: 1000,
    works: true,
    doc: 'Most array elements one request may decode to; more close the connection.',
  }),
  'odradek.shutdown.timeout.ms': long({
    default: 10_000,
    min: 0,
    works: true,
    doc: 'How long a stop waits for requests in flight before it closes their connections.',
  }),
  'odradek.tail.cache.bytes': long({
    default: -1,
    min: 4_194_304,
    or: -1,
    works: true,
    doc: 'Memory for the newest records, from which consumers that keep up are served without reading files; -1: a part of odradek.memory.bytes.',
  }),
  'odradek.test.max.versions': string({
    default: '',
    pattern: { matches: /^(?:\s*\d{1,3}:\d{1,3}\s*(?:,\s*\d{1,3}:\d{1,3}\s*)*)?$/, describe: 'pairs such as 0:2,1:3' },
    works: true,
    doc: 'For tests of clients only: pairs of an API key and the highest version of it that is told and served.',
  }),
  'odradek.validate.compressed': boolean({
    default: false,
    works: true,
    doc: 'Decompresses every compressed batch to check its records; false checks the header and the checksum.',
  }),
}
