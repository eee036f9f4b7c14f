// Measures how far names and comments are from the vocabulary of CONTRIBUTING.md, and fails above the bounds.
import { sources } from './source-text.mjs';

/** @typedef {{ figure: string, file: string, line: number, text: string }} Finding */

const PRONOUNS =
  /\b(?:some|no|any|every)body(?:'s)?\b|\b(?:some|any|every)one(?:'s)?\b|\bwho(?:m|so)?ever\b/gi;
const PRONOUNS_IN_NAMES =
  /(?:^|_)(?:(?:some|no|any|every)body|(?:some|any|every)one|whoever)s?(?:_|$)/;
const CLAUSES = /^(?:What|Who|Whose|Whom|How|Where|Whether|That)\b/;
const METAPHORS = /\b(?:gate|desks?|workshop|doors?|strays?|deeds?|wishes|rooms|by heart)\b/gi;

/** Names that standard terms replaced; each had one meaning only. */
const NAMES = new Set(
  `ALONE ANYWHERE AN_HOUR ASK_AGAIN AT_ONCE Album DESCRIBED Deed Described Desk EitherToken FAREWELL FOLLOW FOREVER
  Fetching Filed Flight HEARING Inside Leaving Mirror NAME_BYTES NoAnswer Notices PATIENCE People Presented REGRET
  Randomness Registrant Rooms SETTLING SWEEP Slate TOGETHER Told Trouble Undecided WRITE_DOWN Wanted Way Wish Wishes Words
  Workshop World at_a_desk clear_away desk desks expect_objects fulfil in_peace is_question is_room moved_on rooms
  storage_vouches strays to_its_end work_off`.split(/\s+/),
);

/** Files that were renamed. */
const FILES = new Set(
  `app/src/pages/rooms.rs app/src/i18n/inside.rs app/src/i18n/words.rs app/src/components/leave.rs
  app/src/components/trouble.rs app/src/components/switches.rs app/src/components/notices.rs app/src/pages/person.rs
  app/src/pages/users/question.rs app/src/pages/files/album.rs app/src/pages/files/sending.rs app/src/session/proof.rs
  server/src/http/gate.rs server/src/http/envelope.rs server/src/http/broken.rs server/src/http/broken.html
  server/src/http/answer.rs server/src/http/origin.rs server/src/http/assets.rs server/src/http/download.rs
  server/src/http/openapi/described.rs server/src/start.rs server/src/sessions/upkeep.rs server/src/sessions/own.rs
  server/src/files/own.rs server/src/sessions/caller.rs server/src/sessions/agents.rs server/src/sessions/attempts.rs
  server/src/files/strays.rs server/src/store/strays.rs server/src/mirror.rs server/src/accounts/directory.rs
  server/src/accounts/common.rs server/src/pictures/workshop.rs server/src/commands/moment.rs server/src/store/listing.rs
  server/src/store/writer.rs server/src/tokens/keys/living.rs server/src/tokens/keys/listed.rs
  server/src/tokens/keys/disk.rs server/src/tokens/keys/change.rs server/tests/http/standing.rs
  server/tests/http/fresh.rs server/tests/http/wire.rs server/tests/http/forging.rs server/tests/properties/what.rs
  end2end/journeys/waking.spec.ts end2end/journeys/rooms.spec.ts end2end/journeys/sleep.spec.ts
  end2end/journeys/listening.spec.ts end2end/journeys/weight.spec.ts end2end/journeys/trouble.spec.ts
  scripts/snip.mjs scripts/trim.mjs scripts/order.mjs scripts/stamp.mjs scripts/blocks.mjs`.split(
    /\s+/,
  ),
);

/** Most findings of a figure, or most of a hundred where there is something to compare with. */
const BOUNDS = /** @type {const} */ ({
  pronouns: { name: 'pronouns, lines of comments', most: 0, of: 'comments' },
  'pronouns-in-names': { name: 'pronouns, names and titles of tests', most: 0 },
  clauses: { name: 'doc blocks that open with What/Who/How/…', most: 3, of: 'blocks' },
  names: { name: 'retired names in code', most: 0 },
  files: { name: 'retired names of files', most: 0 },
  metaphors: { name: 'metaphors, lines of comments', most: 0, of: 'comments' },
});

const all = sources().filter(({ file }) => file !== 'scripts/check-language.mjs');

/** @type {Finding[]} */
const findings = [];
const totals = { comments: 0, blocks: 0 };

for (const { file, code, comments, strings } of all) {
  /** @type {(figure: keyof typeof BOUNDS, line: number, text: string) => void} */
  const find = (figure, line, text) => {
    findings.push({ figure, file, line: line + 1, text: text.trim() });
  };

  if (FILES.has(file)) find('files', 0, file);
  let was = '';
  for (const [at, comment] of comments.split('\n').entries()) {
    const doc = /^\s*(\/\/[/!])(?!\/) ?(.*)/.exec(comment);
    if (/\w/.test(comment)) {
      totals.comments += 1;
      if (count(PRONOUNS, comment) > 0) find('pronouns', at, comment);
      if (count(METAPHORS, comment) > 0) find('metaphors', at, comment);
    }
    if (doc?.[1] !== undefined && doc[1] !== was) {
      totals.blocks += 1;
      if (CLAUSES.test(doc[2] ?? '')) find('clauses', at, comment);
    }
    was = doc?.[1] ?? '';
  }
  const lines = strings.split('\n');
  for (const [at, line] of code.split('\n').entries()) {
    for (const [name] of line.matchAll(/[A-Za-z_]\w*/g)) {
      if (NAMES.has(name)) find('names', at, name);
      const words = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
      if (PRONOUNS_IN_NAMES.test(words) && /\bfn |\btest\b/.test(line))
        find('pronouns-in-names', at, name);
    }
    if (/^\s*test(?:\.\w+)?\(/.test(line) && count(PRONOUNS, lines[at] ?? '') > 0)
      find('pronouns-in-names', at, lines[at] ?? '');
  }
}

for (const [figure, bound] of Object.entries(BOUNDS)) {
  const found = findings.filter((finding) => finding.figure === figure);
  let text = String(found.length);
  let value = found.length;
  if ('of' in bound) {
    const share = (100 * found.length) / Math.max(1, totals[bound.of]);
    text += ` of ${String(totals[bound.of])} (${share.toFixed(1)} %)`;
    if (bound.most > 0) value = share;
  }
  const over = bound.most > 0 ? value >= bound.most : value > 0;
  console.log(
    `${over ? 'OVER' : 'ok  '} ${bound.name}: ${text}; bound: ${bound.most > 0 ? `under ${String(bound.most)} %` : '0'}`,
  );
  if (over) {
    process.exitCode = 1;
    for (const { file, line, text } of found) console.log(`     ${file}:${String(line)}: ${text}`);
  }
}

/** @type {(pattern: RegExp, text: string) => number} */
function count(pattern, text) {
  return [...text.matchAll(pattern)].length;
}
