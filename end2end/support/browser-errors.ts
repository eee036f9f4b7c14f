import { expect, type BrowserContext } from '@playwright/test';

/** A JWT: three base64url parts, of which the first two are JSON objects. */
const TOKEN = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/;

/** Chrome's warning that a page used its lazy chunk late: a slow machine, not a fault. */
const LATE_CHUNK =
  /^warning: The resource \S+\/split_lazy_pages\S+ was preloaded using link preload but not used within a few seconds/;

/**
 * Records errors of the browser: console errors and warnings (which include violations of the
 * content security policy and every response of 400 and above), exceptions, requests without a
 * response, and tokens in the console or in URLs. A test declares the ones it expects; any other
 * fails it.
 */
export class BrowserErrors {
  readonly #seen: string[] = [];
  readonly #expected: RegExp[] = [];
  #isRecording = true;

  watch(context: BrowserContext): void {
    context.on('console', (message) => {
      const text = `${message.type()}: ${message.text()} <${message.location().url}>`;
      const isFault = ['error', 'warning', 'assert'].includes(message.type());
      if (isFault && !LATE_CHUNK.test(text)) this.#record(text);
      if (TOKEN.test(text)) this.#record(`a token in the console: ${text}`);
    });
    context.on('weberror', (error) => {
      this.#record(`exception: ${error.error().message}`);
    });
    context.on('request', (request) => {
      if (TOKEN.test(request.url())) this.#record(`a token in an address: ${request.url()}`);
    });
    context.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? 'no reason given';
      // Leaving a page aborts its requests.
      if (why !== 'net::ERR_ABORTED') this.#record(`no answer: ${why} <${request.url()}>`);
    });
  }

  /** Declares errors that the test expects. */
  expect(...patterns: RegExp[]): void {
    this.#expected.push(...patterns);
  }

  /** Ends the recording, before a fixture stops a server that open pages may still call. */
  stop(): void {
    this.#isRecording = false;
  }

  #record(text: string): void {
    if (this.#isRecording) this.#seen.push(text);
  }

  verify(): void {
    const surprises = this.#seen.filter(
      (text) => !this.#expected.some((pattern) => pattern.test(text)),
    );
    expect(surprises, 'trouble in the browser').toEqual([]);
  }
}
