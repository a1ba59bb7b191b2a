/**
 * How times, sizes and numbers are written. Pure.
 */
import type { ITrans } from './text';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds between two instants, `until` now when open; null when it has not begun. */
export function elapsedMs(
  from: string | null | undefined,
  until: string | null | undefined,
  now: number
): number | null {
  const begun = from ? Date.parse(from) : NaN;
  if (Number.isNaN(begun)) {
    return null;
  }
  const ended = until ? Date.parse(until) : NaN;
  return Math.max(0, (Number.isNaN(ended) ? now : ended) - begun);
}

/** `0:12`, `3:05`, `1:02:03`. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / SECOND);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A length that is over: `20 ms`, `4.2 s`, `3:05`. */
export function duration(ms: number): string {
  if (ms < SECOND) {
    return `${Math.round(ms)} ms`;
  }
  return ms < MINUTE ? `${(ms / SECOND).toFixed(1)} s` : clock(ms);
}

/** How long ago, short enough for a column: `now`, `3 min`, `2 h`, `5 d`. */
export function age(from: string | null | undefined, now: number, trans: ITrans): string {
  const ms = elapsedMs(from, null, now);
  if (ms === null) {
    return '';
  }
  if (ms < MINUTE) {
    return trans.__('now');
  }
  if (ms < HOUR) {
    return trans.__('%1 min', Math.floor(ms / MINUTE));
  }
  return ms < DAY ? trans.__('%1 h', Math.floor(ms / HOUR)) : trans.__('%1 d', Math.floor(ms / DAY));
}

/** `0 B`, `1.5 kB`, `20 MB`; sizes are decimal, as file managers show them. */
export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined) {
    return '';
  }
  let value = size;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 1000) {
      return `${value < 10 && unit !== 'B' ? value.toFixed(1) : Math.round(value)} ${unit}`;
    }
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

const SHARE = /acc|auc|f1|precision|recall|score/i;

/** A metric: shares of one as per cent, other numbers in four significant digits. */
export function metric(name: string, value: number): string {
  if (SHARE.test(name) && value >= 0 && value <= 1) {
    return `${(value * 100).toFixed(1)} %`;
  }
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** The one metric that a row has room for: the accuracy where there is one, else the first. */
export function mainMetric(metrics: Record<string, number>): [name: string, value: number] | null {
  const entries = Object.entries(metrics);
  return entries.find(([name]) => name === 'accuracy') ?? entries[0] ?? null;
}

/** A parameter's value in one line. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** An instant in the reader's own words and time zone; empty when there is none. */
export function instant(at: string | null | undefined): string {
  const time = at ? new Date(at) : null;
  return time && !Number.isNaN(time.getTime())
    ? time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
    : '';
}

/** How long until something is, short enough for a column: `now`, `in 3 min`, `in 2 h`, `in 5 d`. */
export function ahead(at: string, now: number, trans: ITrans): string {
  const ms = Date.parse(at) - now;
  if (Number.isNaN(ms)) {
    return '';
  }
  if (ms < SECOND) {
    return trans.__('now');
  }
  if (ms < MINUTE) {
    return trans.__('in %1 s', Math.floor(ms / SECOND));
  }
  if (ms < HOUR) {
    return trans.__('in %1 min', Math.floor(ms / MINUTE));
  }
  return ms < DAY ? trans.__('in %1 h', Math.floor(ms / HOUR)) : trans.__('in %1 d', Math.floor(ms / DAY));
}

/** An instant on a clock of a time zone, which is named beside it; seconds where there are some. */
export function zoned(at: string, zone: string): string {
  const shape: Intl.DateTimeFormatOptions = {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short'
  };
  const time = new Date(at);
  if (time.getUTCSeconds()) {
    shape.second = '2-digit';
  }
  try {
    return time.toLocaleString(undefined, { ...shape, timeZone: zone });
  } catch {
    // A zone that this browser does not know.
    return time.toLocaleString(undefined, shape);
  }
}
