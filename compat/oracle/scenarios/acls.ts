// Access control and delegation tokens on a broker that has neither an authorizer nor authentication.
import type { AskOf } from '../../../protocol/api.ts'
import { scenario } from '../scenario.ts'
import {
  CreateAcls,
  CreateDelegationToken,
  DeleteAcls,
  DescribeAcls,
  DescribeDelegationToken,
  ExpireDelegationToken,
  RenewDelegationToken,
} from '../../../protocol/index.ts'
import { utf8 } from './requests.ts'

const TOPIC = 2
const READ = 3
const ALLOW = 3
/** Codes of a resource, an operation or a permission that is unknown, and of one that Kafka never gave out. */
const odd = [0, 99, -1]

export const aclScenarios = [
  scenario('acls/describe', DescribeAcls, async (on, v) => {
    const good = {
      resourceTypeFilter: TOPIC,
      resourceNameFilter: 't',
      ...(v >= 1 && { patternTypeFilter: 3 }),
      principalFilter: 'User:a',
      hostFilter: '*',
      operation: READ,
      permissionType: ALLOW,
    }
    const ask = (label: string, o: Partial<AskOf<typeof DescribeAcls>> = {}) =>
      on.attempt(label, DescribeAcls, v, { ...good, ...o })
    await ask('a good one')
    await ask('any', {
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
      ...(v >= 1 && { patternTypeFilter: 1 }),
    })
    for (const code of odd) {
      await ask(`resource type ${code}`, { resourceTypeFilter: code })
      await ask(`operation ${code}`, { operation: code })
      await ask(`permission ${code}`, { permissionType: code })
      if (v >= 1) await ask(`pattern ${code}`, { patternTypeFilter: code })
    }
    await ask('the empty name', { resourceNameFilter: '' })
    await ask('a user', { resourceTypeFilter: 7, resourceNameFilter: 'User:a' })
  }),

  scenario('acls/create', CreateAcls, async (on, v) => {
    const good = {
      resourceType: TOPIC,
      resourceName: 't',
      ...(v >= 1 && { resourcePatternType: 3 }),
      principal: 'User:a',
      host: '*',
      operation: READ,
      permissionType: ALLOW,
    }
    const ask = (label: string, ...creations: Partial<AskOf<typeof CreateAcls>['creations'][number]>[]) =>
      on.attempt(label, CreateAcls, v, { creations: creations.map(o => ({ ...good, ...o })) })
    await ask('a good one', {})
    await ask('two', {}, { resourceName: 'u' })
    await ask('none')
    for (const code of odd) {
      await ask(`resource type ${code}`, { resourceType: code })
      await ask(`operation ${code}`, { operation: code })
      await ask(`permission ${code}`, { permissionType: code })
      if (v >= 1) await ask(`pattern ${code}`, { resourcePatternType: code })
    }
    await ask('any resource', { resourceType: 1 })
    await ask('the empty name', { resourceName: '' })
    await ask('no principal', { principal: 'nobody' })
    if (v >= 1) await ask('a prefix', { resourcePatternType: 4 })
    if (v >= 1) await ask('a match', { resourcePatternType: 2 })
  }),

  scenario('acls/delete', DeleteAcls, async (on, v) => {
    const good = {
      resourceTypeFilter: TOPIC,
      resourceNameFilter: 't',
      ...(v >= 1 && { patternTypeFilter: 3 }),
      principalFilter: 'User:a',
      hostFilter: '*',
      operation: READ,
      permissionType: ALLOW,
    }
    const ask = (label: string, ...filters: Partial<AskOf<typeof DeleteAcls>['filters'][number]>[]) =>
      on.attempt(label, DeleteAcls, v, { filters: filters.map(o => ({ ...good, ...o })) })
    await ask('a good one', {})
    await ask('two', {}, { resourceNameFilter: null, principalFilter: null, hostFilter: null })
    await ask('none')
    for (const code of odd) {
      await ask(`resource type ${code}`, { resourceTypeFilter: code })
      await ask(`operation ${code}`, { operation: code })
      await ask(`permission ${code}`, { permissionType: code })
      if (v >= 1) await ask(`pattern ${code}`, { patternTypeFilter: code })
    }
  }),

  scenario('tokens/create', CreateDelegationToken, async (on, v) => {
    const ask = (label: string, o: Partial<AskOf<typeof CreateDelegationToken>> = {}) =>
      on.attempt(label, CreateDelegationToken, v, {
        ...(v >= 3 && { ownerPrincipalType: null, ownerPrincipalName: null }),
        renewers: [],
        maxLifetimeMs: -1,
        ...o,
      } as AskOf<typeof CreateDelegationToken>)
    await ask('a good one')
    await ask('a renewer', { renewers: [{ principalType: 'User', principalName: 'a' }] })
    await ask('a renewer that is no user', { renewers: [{ principalType: 'Group', principalName: 'a' }] })
    await ask('a lifetime of 0', { maxLifetimeMs: 0 })
    if (v >= 3) {
      await ask('for a', { ownerPrincipalType: 'User', ownerPrincipalName: 'a' })
      await ask('for the empty name', { ownerPrincipalType: 'User', ownerPrincipalName: '' })
      await ask('for a type alone', { ownerPrincipalType: 'User', ownerPrincipalName: null })
    }
  }),

  scenario('tokens/renew', RenewDelegationToken, async (on, v) => {
    for (const hmac of ['', 'x', 'nothing like a token'])
      for (const renewPeriodMs of [-1, 0, 60_000])
        await on.attempt(`"${hmac}" for ${renewPeriodMs}`, RenewDelegationToken, v, {
          hmac: utf8(hmac),
          renewPeriodMs,
        })
  }),

  scenario('tokens/expire', ExpireDelegationToken, async (on, v) => {
    for (const hmac of ['', 'x', 'nothing like a token'])
      for (const expiryTimePeriodMs of [-1, 0, 60_000])
        await on.attempt(`"${hmac}" in ${expiryTimePeriodMs}`, ExpireDelegationToken, v, {
          hmac: utf8(hmac),
          expiryTimePeriodMs,
        })
  }),

  scenario('tokens/describe', DescribeDelegationToken, async (on, v) => {
    const ask = (label: string, owners: AskOf<typeof DescribeDelegationToken>['owners']) =>
      on.attempt(label, DescribeDelegationToken, v, { owners })
    await ask('all', null)
    await ask('none', [])
    await ask('of a', [{ principalType: 'User', principalName: 'a' }])
    await ask('of no user', [{ principalType: 'Group', principalName: 'a' }])
  }),
]
