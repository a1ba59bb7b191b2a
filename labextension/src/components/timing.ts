/**
 * When runs of a schedule are started, as a form holds it. Pure.
 */
import type { ITrans } from './text';

/** How a reader says it: by a cron expression, or by an interval. */
export type TimingKind = 'cron' | 'every';

export interface ITimingValues {
  kind: TimingKind;
  cron: string;
  /** How many of `unit`. */
  count: string;
  unit: IntervalUnit;
  time_zone: string;
  /** As `datetime-local` has it, on a clock of the time zone; empty: none. */
  start: string;
  end: string;
  max_concurrency: string;
  catchup: boolean;
}

export type IntervalUnit = 's' | 'm' | 'h';

export const MOST_AT_ONCE = 10;

/** What a form begins with: each day at 7. */
export function initialTiming(timeZone: string): ITimingValues {
  return {
    kind: 'cron',
    cron: '0 7 * * *',
    count: '1',
    unit: 'h',
    time_zone: timeZone,
    start: '',
    end: '',
    max_concurrency: '1',
    catchup: true
  };
}

/** Cron expressions that many want. */
export function presets(trans: ITrans): readonly (readonly [cron: string, label: string])[] {
  return [
    ['0 * * * *', trans.__('each hour')],
    ['0 7 * * *', trans.__('each day at 7')],
    ['0 7 * * 1-5', trans.__('Monday to Friday at 7')],
    ['0 7 * * 1', trans.__('each Monday at 7')],
    ['0 7 1 * *', trans.__('the first of each month at 7')]
  ];
}

/** The request's fields that say it; the server checks them. */
export function timingOf(values: ITimingValues): {
  cron?: string;
  every?: string;
  time_zone?: string;
  start?: string;
  end?: string;
  max_concurrency: number;
  catchup: boolean;
} {
  const { kind, cron, count, unit, start, end } = values;
  const zone = values.time_zone.trim();
  return {
    ...(kind === 'cron' ? { cron: cron.trim() } : { every: `${count.trim()}${unit}` }),
    // An interval is the same in all time zones, its start is not.
    ...(zone && (kind === 'cron' || start || end) ? { time_zone: zone } : {}),
    ...(start ? { start } : {}),
    ...(end ? { end } : {}),
    max_concurrency: Number(values.max_concurrency),
    catchup: values.catchup
  };
}

/** What a field cannot be, before the server is asked; empty where nothing is wrong. */
export function timingProblem(values: ITimingValues, trans: ITrans): string {
  if (values.kind === 'cron' && !values.cron.trim()) {
    return trans.__('A cron expression is needed.');
  }
  if (values.kind === 'every' && !/^[1-9]\d*$/.test(values.count.trim())) {
    return trans.__('The interval must be a whole number, 1 or more.');
  }
  const most = Number(values.max_concurrency);
  return Number.isInteger(most) && most >= 1 && most <= MOST_AT_ONCE
    ? ''
    : trans.__('At most 1 to %1 runs at one time.', MOST_AT_ONCE);
}

/** The names of all time zones that this browser knows, for a field to offer. */
export function timeZones(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone').filter(zone => zone !== 'UTC')];
}

/** The reader's own time zone. */
export function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}
