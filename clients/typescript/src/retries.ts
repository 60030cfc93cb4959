import { ProblemError } from './problems.js';

export interface Retries {
  /** How often a request is sent at most. */
  attempts?: number;
  /** Seconds after which no further attempt begins. */
  seconds?: number;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const FIRST_PAUSE = 0.25;
const LONGEST_PAUSE = 10;

/**
 * Return a `fetch` that sends requests again where that is safe and of use, and throws a {@link ProblemError} for each
 * answer with a status of 400 or more.
 *
 * Sent again are idempotent requests, merge patches, and POSTs by their Idempotency-Key; a POST without one is given
 * one. They are sent again after a lost connection and after an answer that says that it may succeed later, when its
 * `Retry-After` is over or after pauses that grow.
 */
export function fetchWithRetries(retries: Retries = {}, send: typeof fetch = fetch): typeof fetch {
  const { attempts = 6, seconds = 60 } = retries;
  return async (input, init) => {
    const request = new Request(input, init);
    if (request.method === 'POST' && !request.headers.has('Idempotency-Key')) {
      request.headers.set('Idempotency-Key', crypto.randomUUID());
    }
    const end = Date.now() + seconds * 1000;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await send(request.clone());
        if (answer.ok || answer.status === 304) return answer;
        throw await ProblemError.of(answer);
      } catch (error) {
        const pause = pauseAfter(error, attempt);
        const late = Date.now() + pause * 1000 > end;
        if (attempt >= attempts || late || request.signal.aborted || !mayBeSentAgain(request, error)) throw error;
        await sleep(pause, request.signal);
      }
    }
  };
}

function mayBeSentAgain(request: Request, error: unknown): boolean {
  if (error instanceof ProblemError && !error.retryable) return false;
  const patch = request.headers.get('Content-Type')?.startsWith('application/merge-patch+json') ?? false;
  return IDEMPOTENT.has(request.method) || request.headers.has('Idempotency-Key') || patch;
}

function pauseAfter(error: unknown, attempt: number): number {
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
  const jittered = longest * (0.5 + Math.random() / 2);
  return error instanceof ProblemError ? Math.max(error.retryAfter ?? 0, jittered) : jittered;
}

/** Wait for some seconds; throw when the signal is aborted meanwhile. */
export function sleep(seconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
  });
}
