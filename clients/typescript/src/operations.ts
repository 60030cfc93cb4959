import { getOperation, type Operation } from './generated/index.js';
import type { Client } from './generated/client/index.js';
import type { Answer } from './pages.js';
import { sleep } from './retries.js';

export interface WaitOptions {
  /** Seconds after which {@link OperationTimeout} is thrown; 600 unless set. */
  seconds?: number;
  signal?: AbortSignal;
  /** Called with the operation each time that it was read. */
  onProgress?: (operation: Operation) => void;
}

/** The operation ended in another state than `succeeded`. */
export class OperationFailed extends Error {
  override readonly name = 'OperationFailed';

  constructor(readonly operation: Operation) {
    super(`${operation.kind} of ${operation.id}: ${operation.state}: ${operation.error || operation.hint || ''}`);
  }
}

/** The operation had not ended in time; it goes on. */
export class OperationTimeout extends Error {
  override readonly name = 'OperationTimeout';

  constructor(readonly operation: Operation) {
    super(`${operation.kind} of ${operation.id} is still ${operation.state}: ${operation.progress ?? ''}`);
  }
}

const LONGEST_POLL = 30;

/**
 * Wait for the work that an answer began, and return its operation; undefined if the answer began none, as one to a
 * DELETE of what was gone at once.
 *
 * @throws OperationFailed if it ends in another state than `succeeded`
 * @throws OperationTimeout if it does not end in time
 */
export async function wait(
  client: Client,
  answer: Answer<unknown>,
  { seconds = 600, signal, onProgress }: WaitOptions = {},
): Promise<Operation | undefined> {
  const location = answer.response.headers.get('Operation-Location');
  const found = location?.match(/\/operations\/([^/?]+)\/([^/?]+)/);
  if (!found) return undefined;
  const path = { kind: decodeURIComponent(found[1]!), id: decodeURIComponent(found[2]!) };
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const left = Math.max(0, (end - Date.now()) / 1000);
    const poll = Math.ceil(Math.min(LONGEST_POLL, left));
    const asked = Date.now();
    const { data, response } = await getOperation({ client, path, query: { wait: `${poll}s` }, ...(signal && { signal }) });
    onProgress?.(data);
    if (data.done) {
      if (data.state !== 'succeeded') throw new OperationFailed(data);
      return data;
    }
    if (Date.now() >= end) throw new OperationTimeout(data);
    // An answer long before its time means that all places to wait in are taken.
    const early = (Date.now() - asked) / 1000 < poll / 2;
    if (early) await sleep(Math.min(Number(response.headers.get('Retry-After') ?? 1), left), signal);
  }
}
