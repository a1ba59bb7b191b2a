/**
 * Runs beside each other in the main area: what differs in values, plots, artifacts and code.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { DrawMime } from '../components/artifact/types';
import { CompareTable } from '../components/compare/CompareTable';
import { Plots } from '../components/compare/Plots';
import { SourceDiffs } from '../components/compare/SourceDiffs';
import type { IComparison } from '../comparison';
import { CheckFilter } from '../components/Filters';
import { Message } from '../components/Message';
import type { ITrans } from '../components/text';
import type { ComparisonModel } from '../model/comparison';

export interface ICompareViewOptions {
  model: ComparisonModel;
  draw: DrawMime;
  onOpenRun: (run: string) => void;
  onOpenArtifact: (artifact: string) => void;
  /** Ask for another run to compare with. */
  onAdd: () => void;
  /** Keep the first run as the baseline of its experiment. */
  onKeepBaseline: (run: string) => void;
  trans: ITrans;
}

export class CompareView extends ReactWidget {
  constructor(private readonly options: ICompareViewOptions) {
    super();
    this.addClass('fl-CompareView');
    this.addClass('fl-theme');
    this.node.dataset.flCompareview = '';
    this.node.tabIndex = -1;
  }

  get model(): ComparisonModel {
    return this.options.model;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.options.model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.options.model.changed}>{() => <Content {...this.options} />}</UseSignal>;
  }
}

function Content(props: ICompareViewOptions): JSX.Element {
  const { model, trans } = props;
  const { found, load } = model;
  const again = { label: trans.__('Try again'), name: 'refresh', run: () => void model.refresh() };
  if (load.kind === 'error' || load.kind === 'gone') {
    return <Message kind="error" text={load.message} hint={load.hint} action={again} />;
  }
  if (load.kind === 'missing') {
    const text = trans.__('This Jupyter Server does not run the Fairlead extension.');
    return <Message kind="missing" text={text} action={again} />;
  }
  return found ? <Page {...props} found={found} /> : <Message kind="loading" text={trans.__('Loading…')} />;
}

function Page(props: ICompareViewOptions & { found: IComparison }): JSX.Element {
  const { model, found, trans } = props;
  const [onlyDifferences, setOnlyDifferences] = React.useState(true);
  const several = found.runs.length > 1;
  return (
    <div className="fl-Compare">
      <div className="fl-Bulk" role="toolbar" aria-label={trans.__('Comparison')}>
        <button type="button" className="fl-Button fl-mod-plain" data-fl-action="add" onClick={props.onAdd}>
          {trans.__('Add a run…')}
        </button>
        <button
          type="button"
          className="fl-Button fl-mod-plain"
          data-fl-action="keep-baseline"
          title={trans.__('Pin %1: others of its experiment are held against it', found.runs[0].label)}
          onClick={() => props.onKeepBaseline(found.runs[0].id)}
        >
          {trans.__('Pin the baseline')}
        </button>
        <CheckFilter
          name="differences"
          label={trans.__('Only what differs')}
          checked={onlyDifferences}
          onChange={setOnlyDifferences}
        />
      </div>
      <CompareTable
        found={found}
        onlyDifferences={onlyDifferences && several}
        onOpenRun={props.onOpenRun}
        onOpenArtifact={props.onOpenArtifact}
        onBaseline={id => model.makeBaseline(id)}
        onRemove={several ? id => model.remove(id) : null}
        trans={trans}
      />
      {found.plots.length > 0 && (
        <section aria-label={trans.__('Plots')}>
          <h3 className="fl-Table-title">{trans.__('Plots')}</h3>
          <Plots plots={found.plots} draw={props.draw} trans={trans} />
        </section>
      )}
      <section aria-label={trans.__('Code of the steps')}>
        <h3 className="fl-Table-title">{trans.__('Code of the steps')}</h3>
        <SourceDiffs found={found} trans={trans} />
      </section>
    </div>
  );
}
