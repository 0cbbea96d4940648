// Broker keys of TLS, authorization and delegation tokens.

import { boolean, className, list, long, oneOf, password, string } from '../key.ts'

export const securityKeys = {
  'authorizer.class.name': string({
    default: '',
    works: true,
    doc: 'Java class of the authorizer; access control is not available yet, so it must stay empty.',
  }),
  'delegation.token.expiry.check.interval.ms': long({
    default: 3_600_000,
    min: 1,
    doc: 'How often expired delegation tokens are removed.',
  }),
  'delegation.token.expiry.time.ms': long({
    default: 86_400_000,
    min: 1,
    doc: 'How long a delegation token is valid before it must be renewed.',
  }),
  'delegation.token.max.lifetime.ms': long({
    default: 604_800_000,
    min: 1,
    doc: 'Longest life of a delegation token, renewals included.',
  }),
  'delegation.token.secret.key': password({ default: null, doc: 'Secret that signs delegation tokens.' }),
  'principal.builder.class': className({
    default: 'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder',
    update: 'broker',
    doc: 'Java class that makes the principal of a connection.',
  }),
  'security.providers': string({ default: null, doc: 'Java classes of security providers.' }),
  'ssl.allow.dn.changes': boolean({
    default: false,
    doc: 'Lets a reloaded certificate carry another distinguished name.',
  }),
  'ssl.allow.san.changes': boolean({
    default: false,
    doc: 'Lets a reloaded certificate carry other alternative names.',
  }),
  'ssl.cipher.suites': list({
    default: [],
    update: 'broker',
    doc: 'Cipher suites allowed; empty allows the default ones.',
  }),
  'ssl.client.auth': oneOf(['required', 'requested', 'none'], {
    default: 'none',
    update: 'broker',
    doc: 'Whether clients must show a certificate.',
  }),
  'ssl.enabled.protocols': list({ default: ['TLSv1.2', 'TLSv1.3'], update: 'broker', doc: 'TLS versions allowed.' }),
  'ssl.endpoint.identification.algorithm': string({
    default: 'https',
    update: 'broker',
    doc: 'How host names are checked against certificates; empty does not check.',
  }),
  'ssl.engine.factory.class': className({ default: null, update: 'broker', doc: 'Java class that makes TLS engines.' }),
  'ssl.key.password': password({ default: null, update: 'broker', doc: 'Password of the private key.' }),
  'ssl.keymanager.algorithm': string({ default: 'SunX509', update: 'broker', doc: "Algorithm of Java's key manager." }),
  'ssl.keystore.certificate.chain': password({
    default: null,
    update: 'broker',
    doc: 'Certificate chain in PEM form.',
  }),
  'ssl.keystore.key': password({ default: null, update: 'broker', doc: 'Private key in PEM form.' }),
  'ssl.keystore.location': string({ default: null, update: 'broker', doc: 'File of the key store.' }),
  'ssl.keystore.password': password({ default: null, update: 'broker', doc: 'Password of the key store.' }),
  'ssl.keystore.type': string({ default: 'JKS', update: 'broker', doc: 'Format of the key store.' }),
  'ssl.principal.mapping.rules': string({
    default: 'DEFAULT',
    doc: "Rules that turn a certificate's name into a principal.",
  }),
  'ssl.protocol': string({ default: 'TLSv1.3', update: 'broker', doc: 'TLS version that is preferred.' }),
  'ssl.provider': string({ default: null, update: 'broker', doc: 'Java security provider for TLS.' }),
  'ssl.secure.random.implementation': string({
    default: null,
    update: 'broker',
    doc: "Java's random number implementation for TLS.",
  }),
  'ssl.trustmanager.algorithm': string({
    default: 'PKIX',
    update: 'broker',
    doc: "Algorithm of Java's trust manager.",
  }),
  'ssl.truststore.certificates': password({
    default: null,
    update: 'broker',
    doc: 'Trusted certificates in PEM form.',
  }),
  'ssl.truststore.location': string({ default: null, update: 'broker', doc: 'File of the trust store.' }),
  'ssl.truststore.password': password({ default: null, update: 'broker', doc: 'Password of the trust store.' }),
  'ssl.truststore.type': string({ default: 'JKS', update: 'broker', doc: 'Format of the trust store.' }),
}
