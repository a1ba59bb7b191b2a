import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** A part of the sidebar that folds. */
export function Section(props: {
  /** Its stable name, for the state store and for tests. */
  name: string;
  title: string;
  /** What a folded section still tells. */
  summary: string;
  folded: boolean;
  onFold: (folded: boolean) => void;
  children: React.ReactNode;
}): JSX.Element {
  const Caret = props.folded ? caretRightIcon : caretDownIcon;
  const body = `fl-section-${props.name}`;
  return (
    <section className="fl-Section" data-fl-section={props.name} data-fl-folded={props.folded}>
      <h2 className="fl-Section-head">
        <button
          type="button"
          className="fl-Section-button"
          aria-expanded={!props.folded}
          aria-controls={body}
          onClick={() => props.onFold(!props.folded)}
        >
          <Caret.react tag="span" className="fl-Section-caret" />
          <span className="fl-Section-title">{props.title}</span>
          <span className="fl-Section-summary">{props.summary}</span>
        </button>
      </h2>
      <div id={body} hidden={props.folded}>
        {!props.folded && props.children}
      </div>
    </section>
  );
}
