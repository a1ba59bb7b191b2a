/**
 * The sidebar: context and health above, the runs below.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message as LuminoMessage } from '@lumino/messaging';
import * as React from 'react';

import type { IContext } from '../api/types';
import { Message } from '../components/Message';
import { RunList, RunVerb } from '../components/RunList';
import { Section } from '../components/Section';
import type { ITrans } from '../components/text';
import type { RunsModel } from '../model/runs';

export const PANEL_ID = 'fairlead-panel';

export interface ISidebarOptions {
  runs: RunsModel;
  trans: ITrans;
  /** Names of the folded sections. */
  folded: ReadonlySet<string>;
  /** Keep which sections are folded. */
  onFolded: (folded: ReadonlySet<string>) => void;
  onVerb: (verb: RunVerb, id: string) => void;
  /** The one action of an empty list. */
  onStart: () => void;
}

export class Sidebar extends ReactWidget {
  constructor(private readonly options: ISidebarOptions) {
    super();
    this.id = PANEL_ID;
    this.addClass('fl-Sidebar');
    this.addClass('fl-theme');
    this.node.dataset.flPanel = 'fairlead';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Fairlead');
    this._folded = options.folded;
  }

  /** Show other sections as folded, as a stored layout says. */
  setFolded(folded: ReadonlySet<string>): void {
    this._folded = folded;
    this.update();
  }

  protected override onAfterShow(message: LuminoMessage): void {
    super.onAfterShow(message);
    // Nothing is asked of the server before somebody looks.
    this.options.runs.start();
  }

  protected override onAfterAttach(message: LuminoMessage): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this.options.runs.start();
    }
  }

  protected override render(): JSX.Element {
    const { runs } = this.options;
    return <UseSignal signal={runs.changed}>{() => this._content()}</UseSignal>;
  }

  private _content(): JSX.Element {
    const { runs, trans } = this.options;
    return (
      <>
        <header className="fl-Sidebar-head">
          <h1 className="fl-Sidebar-title">Fairlead</h1>
          {runs.context && <ContextLine context={runs.context} trans={trans} />}
        </header>
        <div className="fl-Sidebar-body">{this._body()}</div>
      </>
    );
  }

  private _body(): JSX.Element {
    const { runs, trans } = this.options;
    const { load } = runs;
    const again = { label: trans.__('Try again'), name: 'refresh', run: () => void runs.refresh() };
    if (load.kind === 'missing') {
      return (
        <Message
          kind="missing"
          text={trans.__('This Jupyter Server does not run the Fairlead extension.')}
          hint={trans.__('Enable it where Jupyter runs, then restart Jupyter:')}
          code="jupyter server extension enable fairlead_server"
          action={again}
        />
      );
    }
    if (load.kind === 'error' || load.kind === 'gone') {
      return <Message kind="error" text={load.message} hint={load.hint} action={again} />;
    }
    if (load.kind !== 'ready') {
      return <Message kind="loading" text={trans.__('Loading…')} />;
    }
    const folded = this._folded.has('runs');
    return (
      <Section
        name="runs"
        title={trans.__('Runs')}
        summary={
          runs.active ? trans._n('%1 running', '%1 running', runs.active) : String(runs.runs.length || '')
        }
        folded={folded}
        onFold={fold => this._fold('runs', fold)}
      >
        {runs.runs.length ? (
          <RunList runs={runs.runs} onVerb={this.options.onVerb} trans={trans} />
        ) : (
          <Message
            kind="empty"
            text={trans.__('No runs yet.')}
            hint={trans.__(
              'A run takes the steps of a notebook from the first to the last, in parallel where it can.'
            )}
            action={{ label: trans.__('Run a notebook'), name: 'start', run: this.options.onStart }}
          />
        )}
      </Section>
    );
  }

  private _fold(name: string, folded: boolean): void {
    const next = new Set(this._folded);
    if (folded) {
      next.add(name);
    } else {
      next.delete(name);
    }
    this.setFolded(next);
    this.options.onFolded(next);
  }

  private _folded: ReadonlySet<string>;
}

/** Where runs go: `● local / default`. */
function ContextLine(props: { context: IContext; trans: ITrans }): JSX.Element {
  const { context, trans } = props;
  const words = {
    ok: trans.__('Connected'),
    starting: trans.__('Starting'),
    error: trans.__('Not reachable')
  };
  const health = words[context.health] ?? context.health;
  const title = [health, context.message].filter(Boolean).join(': ');
  return (
    <div
      className="fl-Context"
      data-fl-context={context.context}
      data-fl-namespace={context.namespace}
      data-fl-health={context.health}
      title={title}
    >
      <span className="fl-Context-dot" role="img" aria-label={health} />
      <span className="fl-Context-name">
        {context.context} / {context.namespace}
      </span>
      {context.health !== 'ok' && <span className="fl-Context-health">{title}</span>}
    </div>
  );
}
