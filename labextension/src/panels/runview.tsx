/**
 * One run in the main area: its head above, the graph left, the inspector right.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';
import { Panel, SplitPanel, Widget } from '@lumino/widgets';
import * as React from 'react';

import { Message } from '../components/Message';
import type { RunVerb } from '../components/RunList';
import type { ITrans } from '../components/text';
import { stateKey } from '../components/states';
import type { RunModel } from '../model/run';
import { RunHeader } from './header';
import { IInspectorOptions, Inspector } from './inspector';
import { runRefusal } from './refusals';
import { Steps } from './steps';

/** Below this width the inspector stands under the graph. */
const NARROW_PX = 700;

export interface IRunViewOptions extends IInspectorOptions {
  onVerb: (verb: RunVerb, run: string) => void;
}

export class RunView extends Panel {
  constructor(private readonly options: IRunViewOptions) {
    super();
    const { model, trans } = options;
    this.addClass('fl-RunView');
    this.addClass('fl-theme');
    this.node.tabIndex = -1;
    this.node.dataset.flRunview = model.id;

    const inspector = new Inspector(options);
    const steps = new Steps({
      model,
      trans,
      onOpen: () => inspector.focus(),
      onLeave: () => this.node.focus()
    });
    this._split = new SplitPanel({ orientation: 'horizontal', spacing: 5 });
    this._split.addClass('fl-RunView-split');
    this._split.addWidget(steps);
    this._split.addWidget(inspector);
    this._split.setRelativeSizes([55, 45]);

    this.addWidget(new Head(options));
    this.addWidget(this._split);
    // The head grows and shrinks with what React draws, which Lumino's layouts do not see.
    this._observer.observe(this._split.node);
    model.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  get model(): RunModel {
    return this.options.model;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._observer.disconnect();
      this.options.model.dispose();
      super.dispose();
    }
  }

  protected override onResize(message: Widget.ResizeMessage): void {
    const width = message.width < 0 ? this.node.offsetWidth : message.width;
    const orientation = width > 0 && width < NARROW_PX ? 'vertical' : 'horizontal';
    if (this._split.orientation !== orientation) {
      this._split.orientation = orientation;
    }
    super.onResize(message);
  }

  private _onChanged(): void {
    const { run, load } = this.options.model;
    this.node.dataset.flState = stateKey(run?.state);
    this.title.label = run?.name ?? this.options.trans.__('Run');
    this.title.caption = run ? `${run.name} (${run.id})` : '';
    // Without a run the head tells why, and there is nothing to split.
    this._split.setHidden(run === null || load.kind === 'gone');
  }

  private readonly _split: SplitPanel;
  private readonly _observer = new ResizeObserver(() =>
    MessageLoop.postMessage(this._split, Widget.ResizeMessage.UnknownSize)
  );
}

/** The head, or the reason why there is none. */
class Head extends ReactWidget {
  constructor(private readonly options: IRunViewOptions) {
    super();
    this.addClass('fl-RunView-head');
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.options.model.changed}>{() => this._content()}</UseSignal>;
  }

  private _content(): JSX.Element {
    const { model, session, trans, onVerb } = this.options;
    const { run, load } = model;
    // A run that goes on is shown as last known while the server is away.
    return (
      <>
        {run && load.kind !== 'gone' && (
          <RunHeader
            run={run}
            trans={trans}
            refusal={verb => runRefusal(session.context, verb)}
            step={model.selected}
            onVerb={verb => onVerb(verb, run.id)}
          />
        )}
        <Trouble model={model} trans={trans} />
      </>
    );
  }
}

function Trouble({ model, trans }: { model: RunModel; trans: ITrans }): JSX.Element | null {
  const { load, run } = model;
  const again = { label: trans.__('Try again'), name: 'refresh', run: () => void model.refresh() };
  switch (load.kind) {
    case 'gone':
      return (
        <Message kind="empty" text={load.message || trans.__('This run was deleted.')} hint={load.hint} />
      );
    case 'missing':
      return (
        <Message
          kind="missing"
          text={trans.__('This Jupyter Server does not run the Fairlead extension.')}
          action={again}
        />
      );
    case 'elsewhere':
      return (
        <Message
          kind="empty"
          text={trans.__('This run is in the context %1, and another one is in use.', load.context)}
          hint={trans.__('What is shown is what was last known.')}
        />
      );
    case 'error':
      return <Message kind="error" text={load.message} hint={load.hint} action={again} />;
    default:
      return run ? null : <Message kind="loading" text={trans.__('Loading…')} />;
  }
}
