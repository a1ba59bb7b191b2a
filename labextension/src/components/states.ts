/**
 * The states of runs and steps: word, shape and whether something still happens. A state is never
 * told by colour alone: every one has a shape of its own and its word beside it or in its label.
 */
import type { ITrans } from './text';

export type StateKey =
  | 'PENDING'
  | 'RUNNING'
  | 'RESTARTING'
  | 'SUSPENDED'
  | 'SUCCEEDED'
  | 'CACHED'
  | 'SKIPPED'
  | 'FAILED'
  | 'CANCELING'
  | 'CANCELED'
  | 'UNKNOWN';

const ring = '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"/>';
const disc = 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z';
const solid = (hole: string): string => `<path fill="currentColor" fill-rule="evenodd" d="${disc}${hole}"/>`;
const line = (path: string): string =>
  `<path fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" d="${path}"/>`;

const SHAPES: Record<StateKey, string> = {
  PENDING:
    '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.1 1.8"/>',
  RUNNING: `${ring}<path fill="currentColor" d="M8 3.6a4.4 4.4 0 0 1 0 8.8z"/>`,
  RESTARTING: line('M13.2 6.4A5.6 5.6 0 1 0 13.4 9.6M13.4 2.9v3.6H9.8'),
  SUSPENDED: `${ring}${line('M6.4 5.6v4.8M9.6 5.6v4.8')}`,
  SUCCEEDED: solid('M11.5 4.9 7 9.6 4.6 7.3 3.5 8.4 7 11.8l5.6-5.8z'),
  CACHED: `${ring}${line('M5.2 8.2 7.2 10.2 10.9 6.2')}`,
  SKIPPED: `${ring}${line('M5 5.6 8 8 5 10.4M8.2 5.6 11.2 8l-3 2.4')}`,
  FAILED: solid('M5.6 4.5 4.5 5.6 6.9 8l-2.4 2.4 1.1 1.1L8 9.1l2.4 2.4 1.1-1.1L9.1 8l2.4-2.4-1.1-1.1L8 6.9z'),
  CANCELING: `${ring}<path fill="none" stroke="currentColor" stroke-width="1.4" d="M5.9 5.9h4.2v4.2H5.9z"/>`,
  CANCELED: solid('M5.4 5.4v5.2h5.2V5.4z'),
  UNKNOWN: `${ring}${line('M6.4 6.3a1.7 1.7 0 1 1 2.4 1.6c-.6.3-.8.6-.8 1.2M8 11.2v.1')}`
};

/** All that we draw. */
export const STATE_KEYS = Object.keys(SHAPES) as readonly StateKey[];

/** The state as one of those we draw. A cached success is its own: nothing ran. */
export function stateKey(state: string | null | undefined, cached = false): StateKey {
  const key = (state ?? '').toUpperCase();
  if (cached && (key === 'SUCCEEDED' || key === 'SKIPPED')) {
    return 'CACHED';
  }
  return key in SHAPES ? (key as StateKey) : 'UNKNOWN';
}

/** The state's word. */
export function stateLabel(state: string | null | undefined, trans: ITrans, cached = false): string {
  switch (stateKey(state, cached)) {
    case 'PENDING':
      return trans.__('Pending');
    case 'RUNNING':
      return trans.__('Running');
    case 'RESTARTING':
      return trans.__('Restarting');
    case 'SUSPENDED':
      return trans.__('Suspended');
    case 'SUCCEEDED':
      return trans.__('Succeeded');
    case 'CACHED':
      return trans.__('Cached');
    case 'SKIPPED':
      return trans.__('Skipped');
    case 'FAILED':
      return trans.__('Failed');
    case 'CANCELING':
      return trans.__('Canceling');
    case 'CANCELED':
      return trans.__('Canceled');
    case 'UNKNOWN':
      return state || trans.__('Unknown');
  }
}

/** The state's shape, an SVG of its own text colour. */
export function stateSvg(key: StateKey): string {
  return `<svg class="fl-StateIcon-svg" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">${SHAPES[key]}</svg>`;
}

/** Whether it may still change by itself. */
export function isActive(state: string | null | undefined): boolean {
  return ['PENDING', 'RUNNING', 'RESTARTING', 'CANCELING'].includes(stateKey(state));
}

/** Whether a retry has something to run again. */
export function canRetry(state: string | null | undefined): boolean {
  return ['FAILED', 'CANCELED'].includes(stateKey(state));
}
