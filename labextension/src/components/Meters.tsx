import * as React from 'react';

import type { IMeter } from './amounts';

/** Above this share a bar warns. */
const NEARLY_FULL = 0.9;

/** Bars side by side: what is used of what there is. */
export function Meters(props: { meters: readonly IMeter[]; stale: boolean; label: string }): JSX.Element {
  return (
    <div className="fl-Meters" role="group" aria-label={props.label} data-fl-stale={props.stale}>
      {props.meters.map(meter => (
        <Meter key={meter.name} {...meter} />
      ))}
    </div>
  );
}

function Meter({ name, label, used, total, isQuota, text, title }: IMeter): JSX.Element {
  const share = total === null ? 0 : Math.min(used / total, 1);
  const shared = {
    className: 'fl-Meter',
    title,
    'data-fl-meter': name,
    'data-fl-used': used,
    'data-fl-quota': isQuota,
    'data-fl-full': share >= NEARLY_FULL
  };
  const words = (
    <>
      <span className="fl-Meter-label">{label}</span>
      {total !== null && (
        <span className="fl-Meter-bar">
          {/* However little it is, what is used is seen. */}
          <span className="fl-Meter-fill" style={{ width: `${100 * share}%`, minWidth: used > 0 ? 2 : 0 }} />
        </span>
      )}
      <span className="fl-Meter-text">{text}</span>
    </>
  );
  return total === null ? (
    <span {...shared} role="img" aria-label={title}>
      {words}
    </span>
  ) : (
    <span
      {...shared}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={Math.min(used, total)}
      aria-valuetext={title}
    >
      {words}
    </span>
  );
}
