import { createClient, createConfig, type Client } from './generated/client/index.js';
import { fetchWithRetries, type Retries } from './retries.js';

export interface GatewayOptions {
  /** The gateway's URL, without a path: `https://gateway.example.com`. */
  url: string;
  /** A token of the gateway, a JWT, or a function that returns one for each request. */
  token: string | (() => string | Promise<string>);
  retries?: Retries;
  /** Sends the requests; `fetch` unless set. */
  fetch?: typeof fetch;
}

/** Return a client of one gateway: the option `client` of each generated function. */
export function connect({ url, token, retries, fetch }: GatewayOptions): Client {
  return createClient(
    createConfig({
      baseUrl: url,
      // Whatever schemes a document has: a token must never get into a URL.
      auth: ({ scheme }) => (scheme !== 'bearer' ? undefined : typeof token === 'function' ? token() : token),
      throwOnError: true,
      fetch: fetchWithRetries(retries, fetch),
    }),
  );
}
