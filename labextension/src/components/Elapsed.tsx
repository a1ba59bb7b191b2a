import * as React from 'react';

import { age, clock, duration, elapsedMs, instant } from './format';
import type { ITrans } from './text';
import { everySecond } from './ticker';

/** The time, anew each second while `live`. */
export function useNow(live: boolean): number {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    setNow(Date.now());
    return live ? everySecond(setNow) : undefined;
  }, [live]);
  return now;
}

/** How long something has run; it grows while `live`. */
export function Elapsed(props: {
  from: string | null;
  until: string | null;
  live: boolean;
  className?: string;
}): JSX.Element {
  const now = useNow(props.live && !props.until);
  const ms = elapsedMs(props.from, props.until, now);
  const open = props.live && !props.until;
  const text = ms === null || !(open || props.until) ? '' : open ? clock(ms) : duration(ms);
  return (
    <span className={props.className} data-fl-elapsed="">
      {text}
    </span>
  );
}

/** How long ago something was; the instant is in its title. */
export function Age(props: { from: string | null; trans: ITrans; className?: string }): JSX.Element {
  const now = useNow(true);
  return (
    <span className={props.className} title={instant(props.from)}>
      {age(props.from, now, props.trans)}
    </span>
  );
}
