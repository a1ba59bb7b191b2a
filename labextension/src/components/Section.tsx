import { addIcon, caretDownIcon, caretRightIcon, launchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** A part of the sidebar that folds. */
export function Section(props: {
  /** Its stable name, for the state store and for tests. */
  name: string;
  title: string;
  /** What a folded section still tells. */
  summary: string;
  /** Why this cluster has none of it; empty where it has. The section is greyed and says so. */
  missing: string;
  folded: boolean;
  onFold: (folded: boolean) => void;
  /** Shows all of it in the main area. */
  open?: { label: string; run: () => void };
  /** Makes a new one; with a `refusal` it only says why not. */
  add?: { label: string; refusal: string; run: () => void };
  children: React.ReactNode;
}): JSX.Element {
  const { add } = props;
  const Caret = props.folded ? caretRightIcon : caretDownIcon;
  const body = `fl-section-${props.name}`;
  return (
    <section
      className="fl-Section"
      data-fl-section={props.name}
      data-fl-folded={props.folded}
      data-fl-missing={props.missing !== ''}
    >
      <div className="fl-Section-line">
        <h2 className="fl-Section-head">
          <button
            type="button"
            className="fl-Section-button"
            aria-expanded={!props.folded}
            aria-controls={body}
            title={props.missing || undefined}
            onClick={() => props.onFold(!props.folded)}
          >
            <Caret.react tag="span" className="fl-Section-caret" />
            <span className="fl-Section-title">{props.title}</span>
            <span className="fl-Section-summary">{props.summary}</span>
          </button>
        </h2>
        {!props.missing && props.open && (
          <button
            type="button"
            className="fl-Section-add fl-Section-open"
            data-fl-action={`open-${props.name}`}
            aria-label={props.open.label}
            title={props.open.label}
            onClick={props.open.run}
          >
            <launchIcon.react tag="span" />
          </button>
        )}
        {!props.missing && add && (
          <button
            type="button"
            className="fl-Section-add"
            data-fl-action={`add-${props.name}`}
            aria-label={add.label}
            aria-disabled={add.refusal !== ''}
            title={add.refusal || add.label}
            onClick={() => add.refusal || add.run()}
          >
            <addIcon.react tag="span" />
          </button>
        )}
      </div>
      <div id={body} hidden={props.folded}>
        {!props.folded &&
          (props.missing ? <p className="fl-Section-missing">{props.missing}</p> : props.children)}
      </div>
    </section>
  );
}
