// Broker keys of SASL.

import { boolean, className, double, int, list, long, password, short, string } from '../key.ts'

export const saslKeys = {
  'sasl.client.callback.handler.class': className({ default: null, doc: 'Java callback class of the SASL client.' }),
  'sasl.enabled.mechanisms': list({
    default: ['GSSAPI'],
    update: 'broker',
    doc: 'SASL mechanisms offered to clients.',
  }),
  'sasl.jaas.config': password({ default: null, update: 'broker', doc: 'JAAS settings of a SASL listener.' }),
  'sasl.kerberos.kinit.cmd': string({ default: '/usr/bin/kinit', update: 'broker', doc: 'Path of the kinit command.' }),
  'sasl.kerberos.min.time.before.relogin': long({
    default: 60_000,
    update: 'broker',
    doc: 'Shortest time between two Kerberos logins.',
  }),
  'sasl.kerberos.principal.to.local.rules': list({
    default: ['DEFAULT'],
    update: 'broker',
    doc: 'Rules that turn Kerberos principals into short names.',
  }),
  'sasl.kerberos.service.name': string({
    default: null,
    update: 'broker',
    doc: 'Kerberos service name of the broker.',
  }),
  'sasl.kerberos.ticket.renew.jitter': double({
    default: 0.05,
    update: 'broker',
    doc: 'Random part of the Kerberos renewal time.',
  }),
  'sasl.kerberos.ticket.renew.window.factor': double({
    default: 0.8,
    update: 'broker',
    doc: "Share of a Kerberos ticket's life after which it is renewed.",
  }),
  'sasl.login.callback.handler.class': className({ default: null, doc: 'Java callback class of the SASL login.' }),
  'sasl.login.class': className({ default: null, doc: 'Java class of the SASL login.' }),
  'sasl.login.connect.timeout.ms': int({ default: null, doc: 'Time-out for connecting to the token provider.' }),
  'sasl.login.read.timeout.ms': int({ default: null, doc: 'Time-out for an answer of the token provider.' }),
  'sasl.login.refresh.buffer.seconds': short({
    default: 300,
    update: 'broker',
    doc: 'Time before expiry in which a login is not refreshed any more.',
  }),
  'sasl.login.refresh.min.period.seconds': short({
    default: 60,
    update: 'broker',
    doc: 'Shortest time between two refreshes of a login.',
  }),
  'sasl.login.refresh.window.factor': double({
    default: 0.8,
    update: 'broker',
    doc: "Share of a login's life after which it is refreshed.",
  }),
  'sasl.login.refresh.window.jitter': double({
    default: 0.05,
    update: 'broker',
    doc: 'Random part of the refresh time of a login.',
  }),
  'sasl.login.retry.backoff.max.ms': long({ default: 10_000, doc: 'Longest pause between two tries to get a token.' }),
  'sasl.login.retry.backoff.ms': long({ default: 100, doc: 'First pause between two tries to get a token.' }),
  'sasl.mechanism.controller.protocol': string({ default: 'GSSAPI', doc: 'SASL mechanism towards controllers.' }),
  'sasl.mechanism.inter.broker.protocol': string({
    default: 'GSSAPI',
    update: 'broker',
    doc: 'SASL mechanism among brokers.',
  }),
  'sasl.oauthbearer.allow.unverified.audience': boolean({
    default: false,
    doc: 'Accepts tokens without checking their audience.',
  }),
  'sasl.oauthbearer.allow.unverified.issuer': boolean({
    default: false,
    doc: 'Accepts tokens without checking their issuer.',
  }),
  'sasl.oauthbearer.assertion.algorithm': string({
    default: 'RS256',
    values: ['ES256', 'RS256'],
    ignoreCase: true,
    doc: 'Algorithm that signs client assertions.',
  }),
  'sasl.oauthbearer.assertion.claim.aud': string({ default: null, doc: 'Audience claim of client assertions.' }),
  'sasl.oauthbearer.assertion.claim.exp.seconds': int({
    default: 300,
    min: 0,
    max: 86_400,
    doc: 'Life of client assertions.',
  }),
  'sasl.oauthbearer.assertion.claim.iss': string({ default: null, doc: 'Issuer claim of client assertions.' }),
  'sasl.oauthbearer.assertion.claim.jti.include': boolean({
    default: false,
    doc: 'Gives each client assertion an id of its own.',
  }),
  'sasl.oauthbearer.assertion.claim.nbf.seconds': int({
    default: 60,
    min: 0,
    max: 3600,
    doc: 'How far the not-before claim of client assertions lies in the past.',
  }),
  'sasl.oauthbearer.assertion.claim.sub': string({ default: null, doc: 'Subject claim of client assertions.' }),
  'sasl.oauthbearer.assertion.file': string({ default: null, doc: 'File that holds a ready client assertion.' }),
  'sasl.oauthbearer.assertion.private.key.file': string({
    default: null,
    doc: 'File of the key that signs client assertions.',
  }),
  'sasl.oauthbearer.assertion.private.key.passphrase': password({
    default: null,
    doc: 'Passphrase of the key that signs client assertions.',
  }),
  'sasl.oauthbearer.assertion.template.file': string({
    default: null,
    doc: 'File with further headers and claims of client assertions.',
  }),
  'sasl.oauthbearer.client.credentials.client.id': string({
    default: null,
    doc: 'Client id for the client credentials grant.',
  }),
  'sasl.oauthbearer.client.credentials.client.secret': password({
    default: null,
    doc: 'Client secret for the client credentials grant.',
  }),
  'sasl.oauthbearer.clock.skew.seconds': int({
    default: 30,
    doc: 'Clock difference to the token provider that is tolerated.',
  }),
  'sasl.oauthbearer.expected.audience': list({ default: [], doc: 'Audiences a token must name one of.' }),
  'sasl.oauthbearer.expected.issuer': string({ default: null, doc: 'Issuer a token must name.' }),
  'sasl.oauthbearer.jwks.endpoint.refresh.ms': long({
    default: 3_600_000,
    doc: "How often the provider's keys are fetched again.",
  }),
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms': long({
    default: 10_000,
    doc: "Longest pause between two tries to fetch the provider's keys.",
  }),
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms': long({
    default: 100,
    doc: "First pause between two tries to fetch the provider's keys.",
  }),
  'sasl.oauthbearer.jwks.endpoint.url': string({ default: null, doc: "Address of the provider's keys." }),
  'sasl.oauthbearer.jwt.retriever.class': className({
    default: 'org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever',
    doc: 'Java class that gets tokens.',
  }),
  'sasl.oauthbearer.jwt.validator.class': className({
    default: 'org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator',
    doc: 'Java class that checks tokens.',
  }),
  'sasl.oauthbearer.scope': string({ default: null, doc: 'Scope asked for when getting a token.' }),
  'sasl.oauthbearer.scope.claim.name': string({ default: 'scope', doc: 'Name of the claim that holds the scope.' }),
  'sasl.oauthbearer.sub.claim.name': string({ default: 'sub', doc: 'Name of the claim that holds the subject.' }),
  'sasl.oauthbearer.token.endpoint.url': string({ default: null, doc: 'Address that gives tokens.' }),
  'sasl.server.callback.handler.class': className({ default: null, doc: 'Java callback class of the SASL server.' }),
  'sasl.server.max.receive.size': int({ default: 524_288, doc: 'Largest SASL message accepted.' }),
}
