/** The parts of an OpenAPI 3.1 document that the API page shows. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: Schema | boolean;
  example?: unknown;
  examples?: unknown[];
  default?: unknown;
  const?: unknown;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

export interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content?: Record<string, { schema?: Schema }> };
  responses?: Record<
    string,
    { description?: string; content?: Record<string, { schema?: Schema }> }
  >;
}

export interface Document {
  info?: { title?: string; version?: string; description?: string };
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

/** An operation with where it is. */
export interface Entry extends Operation {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** All operations in the document's order. */
export function entries(document: Document): Entry[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ ...operation, method, path, tag: operation.tags?.[0] ?? 'API' }] : [];
    }),
  );
}

const name = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1);

/** A type in a few characters, such as `Session[] | null`. */
export function typeText(schema: Schema | undefined): string {
  if (!schema) return 'any';
  if (schema.$ref) return name(schema.$ref);
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const options = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (options) return options.map(typeText).join(schema.allOf ? ' & ' : ' | ');
  const types = [schema.type ?? 'object'].flat();
  return types
    .map((type) => {
      if (type === 'array') return `${typeText(schema.items)}[]`;
      if (type === 'object' && typeof schema.additionalProperties === 'object') {
        return `{ [name]: ${typeText(schema.additionalProperties)} }`;
      }
      return schema.format && type !== 'null' ? `${type} (${schema.format})` : type;
    })
    .join(' | ');
}

/** A schema with its reference followed. */
export function resolve(document: Document, schema: Schema | undefined): Schema | undefined {
  return schema?.$ref ? document.components?.schemas?.[name(schema.$ref)] : schema;
}

/** A value of a schema to begin a request with. */
export function sample(document: Document, schema: Schema | undefined, depth = 0): unknown {
  const real = resolve(document, schema);
  if (!real || depth > 5) return null;
  if (real.example !== undefined) return real.example;
  if (real.examples?.length) return real.examples[0];
  if (real.default !== undefined) return real.default;
  if (real.enum) return real.enum[0];
  const option = real.oneOf ?? real.anyOf;
  if (option)
    return sample(document, option.find((s) => s.type !== 'null') ?? option[0], depth + 1);
  const type = [real.type ?? 'object'].flat().find((t) => t !== 'null');
  if (type === 'object') {
    const all = real.allOf
      ? Object.assign({}, ...real.allOf.map((s) => sample(document, s, depth + 1)))
      : {};
    for (const [key, value] of Object.entries(real.properties ?? {})) {
      all[key] = sample(document, value, depth + 1);
    }
    return all;
  }
  if (type === 'array') return [];
  if (type === 'boolean') return false;
  if (type === 'integer' || type === 'number') return 0;
  return '';
}
