import { expect, type BrowserContextOptions } from '@playwright/test';

import type { User } from './users.ts';

/** The login response, as far as the tests use it. */
export interface Session {
  access_token: string;
  refresh_token: string;
  user: { id: string; username: string };
}

/** Returns browser options with a session in local storage, as after a login with "remember me". */
export function remembering(
  origin: string,
  session: Session,
): NonNullable<BrowserContextOptions['storageState']> {
  const { access_token, refresh_token, user } = session;
  const entries = Object.entries({ access_token, refresh_token, user });
  const localStorage = entries.map(([name, value]) => ({ name, value: JSON.stringify(value) }));
  return { cookies: [], origins: [{ origin, localStorage }] };
}

/** API client without a browser. */
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

  /** Returns the next token pair of a session: its access token is not fresh. */
  async refresh(session: Session): Promise<Session> {
    const headers = { Authorization: `Bearer ${session.refresh_token}` };
    const response = await fetch(`${this.url}/api/auth/refresh`, { method: 'POST', headers });
    expect(response.status).toBe(200);
    return {
      ...session,
      ...((await response.json()) as Pick<Session, 'access_token' | 'refresh_token'>),
    };
  }

  /** Returns status and error code of a request with a token. */
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
