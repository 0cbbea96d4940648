// The version of this package; the build puts it in place of the name below.

declare const ODRADEK_VERSION: string | undefined

export const version = typeof ODRADEK_VERSION === 'string' ? ODRADEK_VERSION : 'development'
