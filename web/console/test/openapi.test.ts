import { describe, expect, it } from 'vitest';
import { type Document, entries, sample, typeText } from '../src/docs/openapi';

const document: Document = {
  paths: {
    '/a': { post: { tags: ['x'] }, get: {} },
    '/b/{id}': { delete: {} },
  },
  components: {
    schemas: {
      Id: { type: 'string', format: 'uuid' },
      Thing: {
        type: 'object',
        properties: {
          id: { $ref: '#/components/schemas/Id' },
          names: { type: 'array', items: { type: 'string' } },
          state: { enum: ['on', 'off'] },
          more: { oneOf: [{ type: 'null' }, { $ref: '#/components/schemas/Thing' }] },
        },
      },
    },
  },
};

describe('the API page', () => {
  it('lists every operation', () => {
    expect(entries(document).map((e) => `${e.method} ${e.path} ${e.tag}`)).toEqual([
      'get /a API',
      'post /a x',
      'delete /b/{id} API',
    ]);
  });

  it('writes types in a few characters', () => {
    expect(typeText({ type: ['array', 'null'], items: { $ref: '#/x/Thing' } })).toBe(
      'Thing[] | null',
    );
    expect(typeText({ type: 'object', additionalProperties: { type: 'string' } })).toBe(
      '{ [name]: string }',
    );
    expect(typeText({ enum: ['on', 'off'] })).toBe('"on" | "off"');
  });

  it('makes a sample that ends, even of a type within itself', () => {
    const made = sample(document, { $ref: '#/components/schemas/Thing' }) as Record<
      string,
      unknown
    >;
    expect(made).toMatchObject({ id: '', names: [], state: 'on' });
    expect(() => JSON.stringify(made)).not.toThrow();
  });
});
