import * as React from 'react';

import { Age } from '../Elapsed';
import type { ITrans } from '../text';

/** A short list of artifacts. One row is in the tab order; arrows go to the others. */
export function ArtifactRows(props: {
  artifacts: readonly { id: string; name: string; type: string; created_at: string | null }[];
  trans: ITrans;
  onOpen: (id: string) => void;
}): JSX.Element {
  const { artifacts, trans } = props;
  const [current, setCurrent] = React.useState<string | null>(null);
  const stop = artifacts.some(row => row.id === current) ? current : (artifacts[0]?.id ?? null);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const row = (event.target as Element).closest('li');
    const steps: Record<string, Element | null | undefined> = {
      ArrowDown: row?.nextElementSibling,
      ArrowUp: row?.previousElementSibling
    };
    const next = steps[event.key];
    if (next) {
      next.querySelector('button')?.focus();
      event.preventDefault();
    }
  };
  return (
    <ul className="fl-ArtifactRows" aria-label={trans.__('Artifacts')} onKeyDown={onKeyDown}>
      {artifacts.map(row => (
        <li key={row.id} data-fl-artifact={row.id} data-fl-name={row.name}>
          <button
            type="button"
            className="fl-ArtifactRows-main"
            tabIndex={row.id === stop ? 0 : -1}
            title={`${row.name}\n${row.type}`}
            onFocus={() => setCurrent(row.id)}
            onClick={() => props.onOpen(row.id)}
          >
            <span className="fl-ArtifactRows-name">{row.name}</span>
            <span className="fl-ArtifactRows-type">{row.type}</span>
            <Age className="fl-ArtifactRows-age" from={row.created_at} trans={trans} />
          </button>
        </li>
      ))}
    </ul>
  );
}
