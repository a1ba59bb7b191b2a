/**
 * How much of something is used, in words and as a share. Pure.
 */
import type { ITrans } from './text';

/** Cores, bytes or devices. */
export interface IAmount {
  used: number;
  /** Null where nobody tells. */
  allocatable: number | null;
  quota: { used: number; hard: number } | null;
}

export type Resource = 'cpu' | 'memory' | 'gpu';

export interface IMeter {
  name: Resource;
  label: string;
  used: number;
  /** Null where it is not known: then there is no bar. */
  total: number | null;
  /** Whether `total` is the namespace's quota. */
  isQuota: boolean;
  /** `3/8`; a dash where there is none. */
  text: string;
  /** The same in a sentence, one line for each limit. */
  title: string;
}

const GIB = 2 ** 30;

/** What stands beside a bar: of the quota where there is one, else of what the nodes offer. */
export function meterOf(
  name: Resource,
  amount: IAmount,
  place: { namespace: string; scope: 'cluster' | 'namespace' },
  trans: ITrans
): IMeter {
  const { quota, allocatable, used } = amount;
  const label = { cpu: trans.__('cpu'), memory: trans.__('mem'), gpu: trans.__('gpu') }[name];
  const shown = quota ? quota.used : used;
  const total = quota ? quota.hard : allocatable;
  const none = !quota && !allocatable && used === 0;
  const text = none
    ? '–'
    : total === null
      ? short(name, shown)
      : `${short(name, shown)}/${short(name, total)}`;
  const lines: string[] = [];
  const full = long(name, trans);
  if (quota) {
    lines.push(
      trans.__(
        '%1: %2 of %3 used of the quota of %4',
        full,
        short(name, quota.used),
        short(name, quota.hard),
        place.namespace
      )
    );
  }
  if (allocatable) {
    lines.push(
      place.scope === 'cluster'
        ? trans.__(
            '%1: %2 of %3 used in the whole cluster',
            full,
            short(name, used),
            short(name, allocatable)
          )
        : trans.__(
            '%1: %2 of %3 used by %4',
            full,
            short(name, used),
            short(name, allocatable),
            place.namespace
          )
    );
  } else if (used > 0) {
    lines.push(
      place.scope === 'cluster'
        ? trans.__('%1: %2 used in the whole cluster', full, short(name, used))
        : trans.__(
            '%1: %2 used by %3; what the nodes offer is not known',
            full,
            short(name, used),
            place.namespace
          )
    );
  } else if (!quota) {
    lines.push(
      allocatable === null ? trans.__('%1: not known', full) : trans.__('%1: there are none here', full)
    );
  }
  return {
    name,
    label,
    used: shown,
    total: total || null,
    isQuota: quota !== null,
    text,
    title: lines.join('\n')
  };
}

function long(name: Resource, trans: ITrans): string {
  return { cpu: trans.__('CPU cores'), memory: trans.__('Memory in GiB'), gpu: trans.__('GPUs') }[name];
}

/** At most one digit behind the point, and none where it says nothing. */
function short(name: Resource, value: number): string {
  const scaled = name === 'memory' ? value / GIB : value;
  if (scaled > 0 && scaled < 0.1) {
    return '<0.1';
  }
  return scaled < 10 ? String(Math.round(scaled * 10) / 10) : String(Math.round(scaled));
}
