/** Numbers and times for people. */

import i18next from 'i18next';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

function number(value: number, digits: number): string {
  return new Intl.NumberFormat(i18next.language, {
    minimumFractionDigits: 0,
    maximumFractionDigits: digits,
  }).format(value);
}

/** Bytes in binary units. */
export function bytes(value: number): string {
  if (value >= GIB) return `${number(value / GIB, 1)} GiB`;
  if (value >= MIB) return `${number(value / MIB, 0)} MiB`;
  if (value >= 1024) return `${number(value / 1024, 0)} KiB`;
  return `${number(value, 0)} B`;
}

export function cores(value: number): string {
  return number(value, 2);
}

/** A duration as its two largest units: `2 h 5 min`, `4 min`, `12 s`. */
export function duration(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const days = Math.floor(total / 86_400);
  const hours = Math.floor((total % 86_400) / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes >= 10) return `${minutes} min`;
  if (minutes > 0) return total % 60 > 0 ? `${minutes} min ${total % 60} s` : `${minutes} min`;
  return `${total} s`;
}

/** What is left until `end`, in milliseconds; undefined where nothing ends it. */
export function timeLeft(end: string | null | undefined, now: number): number | undefined {
  if (!end) return undefined;
  const at = Date.parse(end);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** A moment: the time alone when it is today, otherwise with its day. */
export function moment(text: string | null | undefined): string {
  if (!text) return '–';
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return '–';
  const today = at.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(i18next.language, {
    ...(today ? {} : { dateStyle: 'medium' }),
    timeStyle: 'short',
  }).format(at);
}

/** A moment in full, with the zone. */
export function exact(text: string | null | undefined): string {
  if (!text) return '';
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return '';
  return new Intl.DateTimeFormat(i18next.language, { dateStyle: 'full', timeStyle: 'long' }).format(
    at,
  );
}

/** Writes environment variables as lines, and reads them back. */
export function environmentText(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}
