// What those are told who ask for access control entries.

export const NO_AUTHORIZER = 'There is no authorizer: access control entries are not kept.'
