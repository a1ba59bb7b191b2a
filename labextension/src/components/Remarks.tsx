/**
 * What of a file has no effect, folded: how many things, and what they are.
 */
import * as React from 'react';

import type { ITrans } from './text';

export function Remarks({ texts, trans }: { texts: readonly string[]; trans: ITrans }): JSX.Element | null {
  if (!texts.length) {
    return null;
  }
  return (
    <details className="fl-Remarks" data-fl-remarks={texts.length}>
      <summary>
        {trans._n(
          '%1 thing of it has no effect, or may come out otherwise.',
          '%1 things of it have no effect, or may come out otherwise.',
          texts.length
        )}
      </summary>
      <ul>
        {texts.map(text => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </details>
  );
}
