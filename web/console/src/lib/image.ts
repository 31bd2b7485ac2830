/** Container image names, as far as a form can judge them (porthole-model judges finally). */

export type ImageFault = 'empty' | 'no-tag' | 'malformed';

const HOST = /^(?:[a-zA-Z0-9.-]+\.[a-zA-Z0-9.-]+|localhost|[a-zA-Z0-9.-]+(?=:\d))(?::\d{1,5})?$/;
const PART = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** What is wrong with an image's name; undefined when nothing is. */
export function imageFault(text: string): ImageFault | undefined {
  const image = text.trim();
  if (image === '') return 'empty';
  const [rest = '', digest] = image.split('@', 2);
  if (digest !== undefined && !DIGEST.test(digest)) return 'malformed';
  // A colon before the last slash belongs to the registry's port.
  const colon = rest.lastIndexOf(':');
  const tagged = colon > rest.lastIndexOf('/');
  const name = tagged ? rest.slice(0, colon) : rest;
  if (tagged && !TAG.test(rest.slice(colon + 1))) return 'malformed';
  const parts = name.split('/');
  const host = parts.length > 1 && HOST.test(parts[0] ?? '');
  if (parts.some((part, index) => !(index === 0 && host) && !PART.test(part))) return 'malformed';
  return tagged || digest !== undefined ? undefined : 'no-tag';
}
