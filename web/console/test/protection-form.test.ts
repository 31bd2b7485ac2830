import { expect, test } from 'vitest';
import { isEdge, protectionOf, protectionValues } from '../src/admin/protection-form';

test('nothing stays nothing', () => {
  expect(protectionOf(protectionValues())).toEqual({});
  expect(protectionOf(protectionValues({}))).toEqual({});
});

test('what the server has comes back as it was', () => {
  const text = {
    watermark: {
      mark: { kind: 'text', text: '{username}\n%H:%M', size: 30, time_zone: 'Europe/Berlin' },
      placement: { kind: 'once', position: 'bottom_right' },
      angle: 15,
      opacity: 40,
      colour: '#123456',
    },
    black_out: [{ left: '0', top: '-40', right: '100%', bottom: '100%' }],
    visible: { left: '10%', top: '0', right: '90%', bottom: '100%' },
  } as const;
  expect(protectionOf(protectionValues({ ...text, black_out: [...text.black_out] }))).toEqual(text);
  const picture = {
    watermark: {
      mark: { kind: 'picture', png: 'iVBORw0KGgo=' },
      placement: { kind: 'tiled', spacing: 0 },
      angle: 0,
      opacity: 100,
      colour: '#808080',
    },
  } as const;
  expect(protectionOf(protectionValues(picture))).toEqual(picture);
});

test('sides of areas', () => {
  for (const good of ['0', '120', '-120', '25%', '100%', ' 7 ']) expect(isEdge(good)).toBe(true);
  for (const bad of ['', '-', '101%', '-5%', '1.5', 'far', '99999'])
    expect(isEdge(bad)).toBe(false);
});
