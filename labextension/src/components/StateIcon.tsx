import * as React from 'react';

import { stateKey, stateLabel, stateSvg } from './states';
import type { ITrans } from './text';

/** The shape of a state, named for screen readers unless its word stands beside it. */
export function StateIcon(props: {
  state: string;
  cached?: boolean;
  trans: ITrans;
  /** The word stands beside it already. */
  silent?: boolean;
}): JSX.Element {
  const key = stateKey(props.state, props.cached);
  const label = stateLabel(props.state, props.trans, props.cached);
  return (
    <span
      className="fl-StateIcon"
      data-fl-state={key}
      role={props.silent ? undefined : 'img'}
      aria-hidden={props.silent}
      aria-label={props.silent ? undefined : label}
      title={label}
      dangerouslySetInnerHTML={{ __html: stateSvg(key) }}
    />
  );
}
