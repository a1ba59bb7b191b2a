import * as React from 'react';

import { useNow } from './Elapsed';
import { ahead, instant, zoned } from './format';
import type { ITrans } from './text';

/** The times to come, on a clock of their time zone. */
export function Upcoming(props: { times: readonly string[]; zone: string; trans: ITrans }): JSX.Element {
  const { times, zone, trans } = props;
  const now = useNow(true);
  if (times.length === 0) {
    return <p className="fl-FormField-help">{trans.__('There is no time to come.')}</p>;
  }
  return (
    <ol className="fl-Upcoming" aria-label={trans.__('Next times')} data-fl-upcoming={times.length}>
      {times.map(at => (
        <li key={at} title={trans.__('Here: %1', instant(at))}>
          <time dateTime={at}>{zoned(at, zone)}</time>
          <span className="fl-Upcoming-ahead">{ahead(at, now, trans)}</span>
        </li>
      ))}
    </ol>
  );
}

/** The next time in a column; how far off it is, and when in its title. */
export function Next(props: { times: readonly string[]; zone: string; trans: ITrans }): JSX.Element {
  const now = useNow(true);
  const at = props.times.find(one => Date.parse(one) > now);
  if (at === undefined) {
    return <span>–</span>;
  }
  return (
    <time dateTime={at} title={zoned(at, props.zone)}>
      {ahead(at, now, props.trans)}
    </time>
  );
}
