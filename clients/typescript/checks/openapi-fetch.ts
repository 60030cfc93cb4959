/** The same document by the generator openapi-typescript and its client: compiled, and no part of the package. */
import createClient from 'openapi-fetch';
import type { paths } from './openapi-typescript.js';

const gateway = createClient<paths, 'application/json'>({ baseUrl: 'http://127.0.0.1:8080' });

export async function firstLines(): Promise<string[]> {
  const created = await gateway.POST('/api/v1/clusters', { body: { id: 'demo' } });
  if (created.error) throw created.error;
  const id: string = created.data.id;
  const labels: Record<string, string> = created.data.labels;

  const patched = await gateway.PATCH('/api/v1/clusters/{id}', {
    params: { path: { id } },
    body: { labels: { env: 'test' } },
  });
  if (patched.error) throw patched.error;

  const listed = await gateway.GET('/api/v1/machines', { params: { query: { page_size: 10 } } });
  if (listed.error) throw listed.error;
  return [id, patched.data.talos_version, ...Object.keys(labels), ...listed.data.map((machine) => machine.id)];
}
