import type { BrowserContext, Page, Request, Route } from '@playwright/test';

/** Formats a request as `POST /api/auth/login`. */
export function call(request: Request): string {
  return `${request.method()} ${new URL(request.url()).pathname}`;
}

/** Collects the requests to `/api` that a tab sends from now on. */
export function watchCalls(page: Page): string[] {
  const calls: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname.startsWith('/api/')) calls.push(call(request));
  });
  return calls;
}

/** Counts a request. */
export function count(calls: string[], call: string): number {
  return calls.filter((sent) => sent === call).length;
}

/** A promise, and the function that fulfils it. */
export interface Deferred {
  promise: Promise<void>;
  resolve: () => void;
}

/** Creates a pending promise. */
export function deferred(): Deferred {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Holds every request of a tab or context to a path until released. */
export async function hold(
  page: Page | BrowserContext,
  path: string | RegExp,
): Promise<() => void> {
  const { promise, resolve } = deferred();
  await page.route(path, async (route) => {
    await promise;
    await route.fallback();
  });
  return resolve;
}

/** Answers with an API error. */
export async function fail(
  route: Route,
  status: number,
  code: string,
  message = 'It failed.',
  retryAfter = 5,
): Promise<void> {
  await route.fulfill({
    status,
    json: { code, message, request_id: '00000000-0000-7000-8000-000000000000' },
    headers: {
      'Cache-Control': 'no-store',
      ...(status === 429 || status === 503 ? { 'Retry-After': String(retryAfter) } : {}),
    },
  });
}

/** Rejects one access token as expired; requests with other tokens reach the server. */
export async function expire(page: Page, token: string): Promise<void> {
  await page.route('/api/me', async (route) => {
    const presented = await route.request().headerValue('Authorization');
    if (presented === `Bearer ${token}`) await fail(route, 401, 'token_expired');
    else await route.fallback();
  });
}
