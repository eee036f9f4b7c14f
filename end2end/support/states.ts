// Every state of every page: for axe, viewport sizes and screenshots.
import { ADMINISTRATION } from './states/administration.ts';
import { GUESTS } from './states/guests.ts';
import { MEMBERS } from './states/members.ts';
import { RECOVERY } from './states/recovery.ts';
import { SETTINGS } from './states/settings.ts';
import type { State } from './states/setup.ts';
import { USERS } from './states/users.ts';

export type { State } from './states/setup.ts';

/** Widths of the screenshots: desktop and phone. */
export const WIDTHS = [1280, 360];

export const STATES: State[] = [...GUESTS, ...MEMBERS, ...SETTINGS, ...USERS, ...ADMINISTRATION, ...RECOVERY];
