/** A generated function, such as `listClusters`. */
export type Call = (options: any) => Promise<Answer<any>>;

/** What a generated function returns: the answer's body and the answer. */
export interface Answer<T> {
  data: T;
  response: Response;
}

/** The options of a generated function. */
export type OptionsOf<F extends Call> = NonNullable<Parameters<F>[0]>;

/** The body that a generated function returns. */
export type DataOf<F extends Call> = NonNullable<Awaited<ReturnType<F>>['data']>;

/** The objects of a list, or the object itself. */
export type ObjectOf<F extends Call> = DataOf<F> extends readonly (infer E)[] ? E : DataOf<F>;

/** Yield all objects of a list, page after page: `items(listClusters, { client })`. */
export async function* items<F extends Call>(
  list: F,
  options: OptionsOf<F>,
): AsyncGenerator<ObjectOf<F>, void, undefined> {
  let page: number | null = options.query?.page ?? 1;
  while (page !== null) {
    const { data, response } = await list({ ...options, query: { ...options.query, page } });
    yield* data as ObjectOf<F>[];
    page = nextPage(response);
  }
}

function nextPage(answer: Response): number | null {
  const pages = JSON.parse(answer.headers.get('X-Pagination') ?? '{}') as { next_page?: number | null };
  return pages.next_page ?? null;
}
