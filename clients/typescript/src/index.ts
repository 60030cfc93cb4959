/** A typed client of omni-gateway: the generated functions and types, and what is built on them. */
export * from './generated/index.js';
export type { Client } from './generated/client/index.js';
export { connect, type GatewayOptions } from './gateway.js';
export { OperationFailed, OperationTimeout, wait, type WaitOptions } from './operations.js';
export { items, type Answer, type Call, type ObjectOf } from './pages.js';
export { ProblemError } from './problems.js';
export type { Retries } from './retries.js';
export { watch, type WatchEvent } from './watches.js';
