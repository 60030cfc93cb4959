import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Problem } from './generated/index.js';
import type { Call, ObjectOf, OptionsOf } from './pages.js';
import { ProblemError } from './problems.js';
import { sleep } from './retries.js';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface WatchEvent<T> {
  type: EventType;
  /** The object as it is now, or as it was last. */
  object: T;
}

/** Seconds without a byte, heartbeats included, after which the connection counts as lost. */
const SILENCE = 30;
const PAUSE = 1;

/**
 * Yield the present objects of a list as `ADDED`, then each change, as long as the caller iterates; of one object, until
 * it is gone. The types are those of the generated function: `watch(listClusters, { client })`.
 *
 * A cut connection is resumed where it was cut. Where the gateway's history does not reach back that far, the objects
 * are read again, and the differences to what has been yielded are yielded.
 *
 * @throws ProblemError if the watch is refused, or ended by a problem that is not retryable
 */
export async function* watch<F extends Call>(
  operation: F,
  options: OptionsOf<F>,
): AsyncGenerator<WatchEvent<ObjectOf<F>>, void, undefined> {
  const known = new Known<ObjectOf<F>>();
  let point: string | undefined;
  let connected = false;
  for (;;) {
    let heard = false;
    try {
      for await (const event of events(operation, options, point)) {
        connected = heard = true;
        if (event.event === 'ERROR') throw problem(JSON.parse(event.data) as Problem);
        if (event.event === 'BOOKMARK') yield* known.missing(point === undefined);
        else yield* known.changes(event.event as EventType, JSON.parse(event.data) as ObjectOf<F>);
        point = event.id ?? point;
      }
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if (error instanceof ProblemError && connected && error.status === 404) {
        yield* known.missing(true);
        return;
      }
      if (error instanceof ProblemError && error.status === 410 && point !== undefined) point = undefined;
      else if (error instanceof ProblemError && !error.retryable) throw error;
    }
    if (point === undefined) known.begin();
    if (!heard) await sleep(PAUSE, options.signal);
  }
}

function problem(document: Problem): ProblemError {
  return new ProblemError(document.status ?? 500, document);
}

/** The objects that have been yielded, by id. */
class Known<T> {
  readonly #objects = new Map<string, { text: string; object: T }>();
  #seen = new Set<string>();

  /** Note that all objects are about to come again. */
  begin(): void {
    this.#seen = new Set();
  }

  *changes(type: EventType, object: T): Generator<WatchEvent<T>> {
    const id = String((object as { id?: unknown }).id ?? '');
    const text = JSON.stringify(object);
    const before = this.#objects.get(id);
    this.#seen.add(id);
    if (type === 'DELETED') {
      this.#objects.delete(id);
      if (before) yield { type, object };
    } else if (before?.text !== text) {
      this.#objects.set(id, { text, object });
      yield { type: before ? 'MODIFIED' : 'ADDED', object };
    }
  }

  /** Yield as deleted what did not come again, if all objects were to. */
  *missing(all: boolean): Generator<WatchEvent<T>> {
    for (const [id, { object }] of all ? [...this.#objects] : []) {
      if (this.#seen.has(id)) continue;
      this.#objects.delete(id);
      yield { type: 'DELETED', object };
    }
  }
}

/** Yield the events of one connection. */
async function* events<F extends Call>(
  operation: F,
  options: OptionsOf<F>,
  point: string | undefined,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const headers = { ...options.headers, Accept: 'text/event-stream', ...(point && { 'Last-Event-ID': point }) };
  const { data } = await operation({ ...options, headers, parseAs: 'stream' });
  const reader = (data as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const queue: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => queue.push(event) });
  try {
    for (;;) {
      const { done, value } = await within(SILENCE, reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* queue.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function within<T>(seconds: number, result: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no byte within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([result, late]).finally(() => clearTimeout(timer));
}
