import { randomUUID } from 'node:crypto';

/** A user, registered or about to be. */
export interface User {
  username: string;
  password: string;
}

/** The password of all test users: the server's log is searched for it. */
export const PASSWORD = 'correct-horse-battery-staple';

/** Returns a user that is not registered yet. */
export function newUser(prefix = 'ada'): User {
  return { username: `${prefix}-${randomUUID().slice(0, 8)}`, password: PASSWORD };
}
