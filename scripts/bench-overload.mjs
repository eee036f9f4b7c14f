// An attack that holds connections, heads and uploads, and sends decompression bombs: memory of the
// server and response times of other users.
import { setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflate, deflateSync } from 'node:zlib';
import { setTimeout as wait } from 'node:timers/promises';

import { load, post, start } from './load.mjs';

const PASSWORD = 'correct horse battery';
/** Connections with an unfinished head of the maximum size. */
const HEADS = 1000;
const HEAD_BYTES = 31_000;
/** Connections with an unfinished upload. */
const UPLOADS = 800;
const UPLOAD_BYTES = 5 * 1024 * 1024;
/**
 * Accounts that hold uploads: the limit of concurrent uploads, except for a few used by the images.
 */
const HOLDERS = 15;
/** Accounts that send images, one at a time each. */
const SENDERS = 4;
const SECONDS = 20;

/** @type {(type: string, data: Buffer) => Buffer} */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** Compresses this many zero bytes. */
async function zeros(/** @type {number} */ bytes) {
  const block = Buffer.alloc(1 << 20);
  /** @type {Buffer[]} */
  const parts = [];
  await pipeline(
    function* () {
      for (let left = bytes; left > 0; left -= block.length)
        yield block.subarray(0, Math.min(left, block.length));
    },
    createDeflate({ level: 9 }),
    async (/** @type {AsyncIterable<Buffer>} */ compressed) => {
      for await (const part of compressed) parts.push(part);
    },
  );
  return Buffer.concat(parts);
}

/** @type {(width: number, height: number, depth: number, colour: number, pixels: Buffer, before?: Buffer[], interlace?: number) => Buffer} */
function png(width, height, depth, colour, pixels, before = [], interlace = 0) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlace], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    ...before,
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** First column and row, and steps of columns and rows, of each pass of Adam7. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** A black interlaced image of three bytes a pixel: the decoder holds all of its pixels. */
async function interlaced(/** @type {number} */ width, /** @type {number} */ height) {
  let bytes = 0;
  for (const [column = 0, row = 0, columns = 1, rows = 1] of PASSES) {
    const pixels = Math.ceil((width - column) / columns);
    bytes += (pixels * 3 + 1) * Math.ceil((height - row) / rows);
  }
  return png(width, height, 8, 2, await zeros(bytes), [], 1);
}

/** Decompression bombs of less than a megabyte each. */
async function bombs() {
  const pixel = deflateSync(Buffer.alloc(4));
  const profile = await zeros(500_000_000);
  return [
    // A color profile and a text of half a gigabyte.
    png(1, 1, 8, 2, pixel, [
      chunk('iCCP', Buffer.concat([Buffer.from('x\0\0', 'latin1'), profile])),
    ]),
    png(1, 1, 8, 2, pixel, [
      chunk('zTXt', Buffer.concat([Buffer.from('x\0\0', 'latin1'), profile])),
    ]),
    // 24 megapixels of three and of eight bytes.
    png(6000, 4000, 8, 2, await zeros((6000 * 3 + 1) * 4000)),
    png(6000, 4000, 16, 6, await zeros((6000 * 8 + 1) * 4000)),
    await interlaced(6000, 4000),
  ];
}

/**
 * Holds a connection with an unfinished request, and reopens it whenever it is closed.
 * @param {string} base
 * @param {Buffer} begin
 * @param {AbortSignal} signal
 */
function hold(base, begin, signal) {
  const { hostname, port } = new URL(base);
  const open = () => {
    const socket = connect(Number(port), hostname);
    const end = () => socket.destroy();
    signal.addEventListener('abort', end, { once: true });
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.once('close', () => {
      signal.removeEventListener('abort', end);
      // With a delay: immediate refusals would load this program instead of the server.
      if (!signal.aborted) setTimeout(open, 500);
    });
    socket.write(begin);
  };
  open();
}

/**
 * @param {string} program
 * @param {string} data
 */
export async function overload(program, data) {
  const server = await start(program, data, { GATEHOUSE_RATE_LIMITS: 'off' });
  const login = async (/** @type {string} */ username) => {
    const { access_token: bearer = '' } = await post(server.base, '/api/auth/login', {
      username,
      password: PASSWORD,
    });
    return bearer;
  };
  const account = async (/** @type {string} */ username) => {
    await post(server.base, '/api/auth/register', { username, password: PASSWORD });
    return login(username);
  };
  /** @type {string[]} */
  const holders = [];
  for (let number = 0; number < HOLDERS; number += 1)
    holders.push(await account(`holder${String(number)}`));
  /** @type {string[]} */
  const senders = [];
  for (let number = 0; number < SENDERS; number += 1)
    senders.push(await account(`sender${String(number)}`));
  const bearer = await account('bystander');
  const pictures = await bombs();
  for (const picture of pictures)
    if (picture.length > 1_000_000)
      throw new Error(`a picture has ${String(picture.length)} bytes`);

  const attack = new AbortController();
  // Each held connection adds an abort listener.
  setMaxListeners(0, attack.signal);
  const head = Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(HEAD_BYTES)}`);
  for (let number = 0; number < HEADS; number += 1) hold(server.base, head, attack.signal);
  const rest = Buffer.alloc(UPLOAD_BYTES - 1);
  const uploads = holders.map((token) => {
    const begin = `POST /api/me/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${String(UPLOAD_BYTES)}\r\n\r\n`;
    return Buffer.concat([Buffer.from(begin), rest]);
  });
  for (let number = 0; number < UPLOADS; number += 1)
    hold(server.base, uploads[number % HOLDERS] ?? rest, attack.signal);

  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, server.memory());
  }, 50);
  /** @type {Map<number, number>} */
  const answers = new Map();
  const sending = senders.map(async (token, number) => {
    for (let round = number; !attack.signal.aborted; round += 1) {
      const options = {
        method: 'PUT',
        headers: { Authorization: `Bearer ${token}` },
        body: new Uint8Array(pictures[round % pictures.length] ?? []),
      };
      const answer = await fetch(`${server.base}/api/me/avatar`, options);
      await answer.text();
      answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
    }
  });
  // Waits until all connections are held.
  await wait(5000);
  const logins = (async () => {
    const times = [];
    for (const end = performance.now() + SECONDS * 1000; performance.now() < end;) {
      const began = performance.now();
      await login('bystander');
      times.push(performance.now() - began);
      await wait(250);
    }
    return times;
  })();
  const { p99 } = await load(`${server.base}/api/me`, { seconds: SECONDS, connections: 4, bearer });
  const slowest = Math.max(...(await logins));
  const connections = server.connections();
  attack.abort();
  await Promise.all(sending);
  clearInterval(sampling);
  await server.stop();
  return { peak, p99, slowest, connections, answers };
}
