import type { Problem } from './generated/index.js';

/** An answer of the gateway, or of a proxy before it, with a status of 400 or more. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  /**
   * @param status the status of the answer, or of the problem that ended a stream
   * @param problem the problem document; undefined if the answer was none, as one of a proxy
   * @param retryAfter the seconds of the header `Retry-After`
   */
  constructor(
    readonly status: number,
    readonly problem?: Problem,
    readonly retryAfter?: number,
  ) {
    super(problem ? `${problem.code}: ${problem.detail ?? problem.title ?? ''}` : `HTTP status ${status}`);
  }

  /** The stable code, for programs; undefined if the answer was no problem document. */
  get code(): Problem['code'] | undefined {
    return this.problem?.code;
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return this.problem?.retryable ?? (this.status === 429 || this.status === 503);
  }

  /** Read the problem of an answer. */
  static async of(answer: Response): Promise<ProblemError> {
    const json = /^application\/(problem\+)?json/.test(answer.headers.get('Content-Type') ?? '');
    const problem = json ? ((await answer.json().catch(() => undefined)) as Problem | undefined) : undefined;
    await answer.body?.cancel().catch(() => undefined);
    return new ProblemError(answer.status, problem, seconds(answer.headers.get('Retry-After')));
  }
}

function seconds(text: string | null): number | undefined {
  if (text === null) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : Math.max(0, (Date.parse(text) - Date.now()) / 1000) || undefined;
}
