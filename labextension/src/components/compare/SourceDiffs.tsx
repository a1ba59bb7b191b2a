import * as React from 'react';

import type { ITrans } from '../text';
import type { IComparison, SourceChange } from '../../comparison';

/** What differs in the code of the steps, held against the first run. */
export function SourceDiffs({ found, trans }: { found: IComparison; trans: ITrans }): JSX.Element {
  const differing = found.sources.filter(row => row.diffs.some(diff => diff !== ''));
  if (differing.length === 0) {
    return <p className="fl-Compare-same">{trans.__('The code of the steps is the same.')}</p>;
  }
  const words: Record<SourceChange, string> = {
    same: '',
    changed: trans.__('changed'),
    added: trans.__('added'),
    removed: trans.__('removed'),
    absent: ''
  };
  return (
    <>
      {differing.map(row =>
        row.diffs.map(
          (diff, place) =>
            diff !== '' && (
              <details key={`${row.step} ${place}`} className="fl-SourceDiff" data-fl-source={row.step} open>
                <summary>
                  <strong>{row.step}</strong> {words[row.changes[place]]} {trans.__('in')}{' '}
                  {found.runs[place].label}
                </summary>
                <Diff
                  text={diff}
                  label={trans.__('Difference of %1 in %2', row.step, found.runs[place].label)}
                />
              </details>
            )
        )
      )}
    </>
  );
}

const KINDS: Record<string, string> = { '+': 'added', '-': 'removed', '@': 'place' };

/** A unified diff; a line's sign says what it is, colour only repeats it. */
function Diff({ text, label }: { text: string; label: string }): JSX.Element {
  // The two lines at its head name the runs, which stand above it.
  const lines = text.split('\n').slice(2);
  return (
    <pre className="fl-SourceDiff-text" tabIndex={0} role="region" aria-label={label}>
      {lines.map((line, place) => (
        <span key={place} className="fl-SourceDiff-line" data-fl-line={KINDS[line[0]] ?? 'same'}>
          {line}
        </span>
      ))}
    </pre>
  );
}
