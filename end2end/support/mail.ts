// A mail server that keeps what it receives, and the parts of a mail that a reader uses.
import { once } from 'node:events';

import { expect } from '@playwright/test';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

import { freePort } from '../../scripts/free-port.mjs';
import { test as base, type WorkerOptions } from './fixtures.ts';
import type { Settings } from './server.ts';

export { expect } from './fixtures.ts';

/** A mail, as far as the tests read it. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
  headers: Map<string, unknown>;
}

/** An SMTP server on a port of its own. */
export class MailServer {
  readonly mails: Mail[] = [];
  #server: SMTPServer | undefined;

  private constructor(private readonly port: number) {}

  static async start(): Promise<MailServer> {
    const server = new MailServer(await freePort());
    await server.resume();
    return server;
  }

  get url(): string {
    return `smtp://127.0.0.1:${String(this.port)}`;
  }

  async resume(): Promise<void> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      onData: (stream, session, done) => {
        simpleParser(stream).then(
          (mail) => {
            const [recipient] = session.envelope.rcptTo;
            this.mails.push({
              to: recipient?.address ?? '',
              subject: mail.subject ?? '',
              text: mail.text ?? '',
              html: typeof mail.html === 'string' ? mail.html : '',
              headers: mail.headers,
            });
            done();
          },
          (error: unknown) => {
            done(error as Error);
          },
        );
      },
    });
    this.#server = server;
    server.listen(this.port, '127.0.0.1');
    await once(server.server, 'listening');
  }

  /** Closes the port, and waits until it is closed. */
  async halt(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(resolve);
    });
  }

  /** The mails to an address, oldest first. */
  to(address: string): Mail[] {
    return this.mails.filter((mail) => mail.to === address);
  }

  /** Waits until an address has received a number of mails, and returns the last one. */
  async receive(address: string, number = 1, timeout = 15_000): Promise<Mail> {
    await expect
      .poll(() => this.to(address).length, { message: `mails to ${address}`, timeout })
      .toBeGreaterThanOrEqual(number);
    const mail = this.to(address)[number - 1];
    if (mail === undefined) throw new Error(`no mail to ${address}`);
    return mail;
  }
}

/** Returns the link of a mail to one of our pages. */
export function linkOf(mail: Mail): string {
  const [link] = /https?:\/\/\S+\/(?:verify|reset|undo|register)#[\w-]+/.exec(mail.text) ?? [];
  expect(link, mail.text).toBeDefined();
  // The HTML has the same link.
  expect(mail.html).toContain(link);
  return link ?? '';
}

/** Returns path and fragment of a link. */
export function pathOf(link: string): string {
  const { pathname, hash } = new URL(link);
  return pathname + hash;
}

/** Returns the digits of a mail. */
export function digitsOf(mail: Mail): string {
  const [digits] = /\b\d{4} ?\d{4}\b/.exec(mail.text) ?? [];
  expect(digits, mail.text).toBeDefined();
  return digits ?? '';
}

/** Opens a link as a scanner of mail does: three times, without the fragment, as HTTP has none. */
export async function scan(link: string): Promise<void> {
  for (let count = 0; count < 3; count++) {
    const response = await fetch(link);
    expect(response.status).toBe(200);
    await response.text();
  }
}

interface MailOptions {
  smtp: MailServer;
  /** Settings beside those of mail. */
  policy: Settings;
}

/** Tests on a server that sends mail. */
export const test = base.extend<object, MailOptions & WorkerOptions>({
  policy: [{}, { scope: 'worker', option: true }],
  smtp: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs
    async ({}, use) => {
      const smtp = await MailServer.start();
      await use(smtp);
      await smtp.halt();
    },
    { scope: 'worker' },
  ],
  settings: [
    async ({ smtp, policy }, use) => {
      await use({
        MAIL_URL: smtp.url,
        MAIL_FROM: 'Gatehouse <accounts@example.org>',
        ...policy,
      });
    },
    { scope: 'worker' },
  ],
});
