import { expect, type BrowserContext } from '@playwright/test';

/** Three base64url parts, of which the first two are JSON objects: a token. */
const TOKEN = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/;

/**
 * What went wrong in the browser without anybody seeing it: errors and warnings in the console (the browser reports a
 * violated content security policy there, and every answer of 400 and above), exceptions, requests without an answer, and
 * tokens where none belong. A test says what it expects; anything else fails it.
 */
export class BrowserErrors {
  readonly #seen: string[] = [];
  readonly #expected: RegExp[] = [];

  watch(context: BrowserContext): void {
    context.on('console', (message) => {
      const text = `${message.type()}: ${message.text()} <${message.location().url}>`;
      if (['error', 'warning', 'assert'].includes(message.type())) this.#seen.push(text);
      if (TOKEN.test(text)) this.#seen.push(`a token in the console: ${text}`);
    });
    context.on('weberror', (error) => this.#seen.push(`exception: ${error.error().message}`));
    context.on('request', (request) => {
      if (TOKEN.test(request.url())) this.#seen.push(`a token in an address: ${request.url()}`);
    });
    context.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? 'no reason given';
      // A page that is left drops what it was loading.
      if (why !== 'net::ERR_ABORTED') this.#seen.push(`no answer: ${why} <${request.url()}>`);
    });
  }

  /** Announces trouble that belongs to the test. */
  expect(...patterns: RegExp[]): void {
    this.#expected.push(...patterns);
  }

  verify(): void {
    const surprises = this.#seen.filter(
      (text) => !this.#expected.some((pattern) => pattern.test(text)),
    );
    expect(surprises, 'trouble in the browser').toEqual([]);
  }
}
