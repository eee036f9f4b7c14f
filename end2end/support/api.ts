import { expect, type BrowserContextOptions } from '@playwright/test';

import type { User } from './users.ts';

/** What logging in answers, as far as the journeys look at it. */
export interface Session {
  access_token: string;
  refresh_token: string;
  user: { id: string; username: string };
}

/** A browser that keeps a session for all its tabs, as after a log-in with "remember me". */
export function remembering(
  origin: string,
  session: Session,
): NonNullable<BrowserContextOptions['storageState']> {
  const { access_token, refresh_token, user } = session;
  const entries = Object.entries({ access_token, refresh_token, user });
  const localStorage = entries.map(([name, value]) => ({ name, value: JSON.stringify(value) }));
  return { cookies: [], origins: [{ origin, localStorage }] };
}

/** Another client of the server than the browser. */
export class Api {
  constructor(private readonly url: string) {}

  async register(user: User): Promise<void> {
    const response = await this.#post('/api/auth/register', user);
    expect(response.status, await response.text()).toBe(201);
  }

  async login(user: User): Promise<Session> {
    const response = await this.#post('/api/auth/login', user);
    expect(response.status).toBe(200);
    return (await response.json()) as Session;
  }

  /** The same session with its next pair: its access token does not come straight from a password. */
  async refresh(session: Session): Promise<Session> {
    const headers = { Authorization: `Bearer ${session.refresh_token}` };
    const response = await fetch(`${this.url}/api/auth/refresh`, { method: 'POST', headers });
    expect(response.status).toBe(200);
    return {
      ...session,
      ...((await response.json()) as Pick<Session, 'access_token' | 'refresh_token'>),
    };
  }

  /** The status and code that the server answers to a token at an operation. */
  async present(
    method: string,
    path: string,
    token: string,
  ): Promise<{ status: number; code: string | undefined }> {
    const response = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${token}` },
    });
    const { code } = (await response.json()) as { code?: string };
    return { status: response.status, code };
  }

  #post(path: string, body: object): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
}
