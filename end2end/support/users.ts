import { randomUUID } from 'node:crypto';

/** A user with an account, or about to get one. */
export interface User {
  username: string;
  password: string;
}

/** Everybody's password: the server's log is searched for it. */
export const PASSWORD = 'correct-horse-battery-staple';

/** Somebody whom the server does not know yet. */
export function newUser(prefix = 'ada'): User {
  return { username: `${prefix}-${randomUUID().slice(0, 8)}`, password: PASSWORD };
}
