// What compat folders import: the broker under test, scenarios, waiting, data.
export * from './broker.ts'
export * from './data.ts'
export * from './maven.ts'
export * from './scenarios.ts'
export * from './wait.ts'
