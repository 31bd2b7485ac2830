import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import test from 'node:test';
import { shown } from './measures.mjs';
import { table } from './report.mjs';
import { percentile } from './statistics.mjs';
import { WireClient } from './wire.mjs';

test('percentiles lie between values', () => {
  assert.equal(percentile([], 0.5), undefined);
  assert.equal(percentile([3, 1, 2], 0.5), 2);
  assert.equal(percentile([0, 10], 0.95), 9.5);
});

test('a frame counts once, and only if it was drawn just before', () => {
  const drawn = [1, 2, 3].map((n) => ({ n, t: n * 33_000 }));
  const result = shown([[40, 1], [60, 1], [70, 9], [90, 2], [9000, 3]], drawn);
  assert.equal(result.count, 2);
  assert.equal(result.p50, percentile([7, 24], 0.5));
});

test('the table marks the best and gives ratios to it', () => {
  const cell = (target, p50) => ({ target, scene: 'key', network: 'local', link: 'loopback', figures: { p50 } });
  const text = table([cell('a', 20), cell('b', 30), cell('b', 50)], [{ name: 'a', label: 'A' }, { name: 'b', label: 'B' }]);
  assert.match(text, /key → pixel p50 \[ms\] \| \*\*20\.0\*\* \| 40\.0 \(2\.00×\)/);
});

test('the wire client counts updates over rectangles of every kind it asks for', async () => {
  const u16 = (...values) => values.flatMap((value) => [value >> 8, value & 255]);
  const rectangle = (w, h, encoding) => [...u16(0, 0, w, h), ...[24, 16, 8, 0].map((shift) => (encoding >> shift) & 255)];
  const update = (...rectangles) => [0, 0, ...u16(rectangles.length), ...rectangles.flat()];
  const answers = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('RFB 003.008\n');
    socket.write(Buffer.from([1, 1, 0, 0, 0, 0, ...u16(8, 8), ...Array(16).fill(0), 0, 0, 0, 0]));
    socket.write(Buffer.from([
      ...update([...rectangle(8, 8, 7), 0x80, 1, 2, 3]), // Tight, one colour
      ...update([...rectangle(2, 2, 1), 0, 0, 0, 0], [...rectangle(8, 8, 7), 0x90, 0x81, 0x01, ...Array(129).fill(7)]), // CopyRect; JPEG
      ...update([...rectangle(8, 8, 7), 0x40, 1, 1, 0, 0, 0, 9, 9, 9, ...Array(8).fill(0)]), // two colours, below 12 bytes
      ...update([...rectangle(1, 1, -239), 1, 2, 3, 4, 0x80]), // cursor alone: no update of pixels
      248, 0, 0, 0, 0x80, 0, 0, 1, 2, 5, 6, // fence that wants an answer
      ...update([...rectangle(1, 1, 0), 1, 2, 3, 4]),
    ]));
    socket.on('data', (part) => answers.push(...part));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = await WireClient.connect({ kind: 'tcp', port: server.address().port });
  const end = Date.now() + 3000;
  while (client.updates < 4 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  while (!Buffer.from(answers).includes(Buffer.from([248, 0, 0, 0, 0, 0, 0, 1, 2, 5, 6])) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(client.failed, undefined);
  assert.equal(client.updates, 4);
  assert.ok(Buffer.from(answers).includes(Buffer.from([248, 0, 0, 0, 0, 0, 0, 1, 2, 5, 6])));
  client.close();
  server.close();
});
