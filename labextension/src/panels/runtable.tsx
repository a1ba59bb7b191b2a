/**
 * All runs in the main area: filtered, sorted and paged by the server, live, many at once; and experiments.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';

import type { IExperiment, IRunEntry } from '../api/runtypes';
import { Message } from '../components/Message';
import type { Refusal } from '../components/RunList';
import { RunTable } from '../components/RunTable';
import { canRetry, isActive } from '../components/states';
import { TabBar, TabPanel } from '../components/Tabs';
import type { ITrans } from '../components/text';
import type { RunTableModel } from '../model/runtable';
import { Experiments } from './experiments';
import { IRecurringListOptions, RecurringList } from './recurringlist';
import { RunFilters } from './runfilters';

/** What is done with many runs at once. */
export type BulkVerb = 'compare' | 'pin' | 'unpin' | 'label' | 'archive' | 'unarchive' | 'stop' | 'delete';

export interface IRunTableOptions extends IRecurringListOptions {
  model: RunTableModel;
  refusal: Refusal;
  experiments: (archived: boolean) => Promise<IExperiment[]>;
  /** Ask for a name and make one; null when the reader thought better of it. */
  onNewExperiment: () => Promise<IExperiment | null>;
  /** Put an experiment away, or bring it back. */
  onArchiveExperiment: (experiment: IExperiment, back: boolean) => Promise<boolean>;
  onBulk: (verb: BulkVerb, runs: readonly IRunEntry[]) => Promise<void>;
}

/** The tabs. */
export type RunTablePage = 'runs' | 'experiments' | 'recurring';

export class RunTableView extends ReactWidget {
  constructor(private readonly options: IRunTableOptions) {
    super();
    this.addClass('fl-RunTableView');
    this.addClass('fl-theme');
    this.node.tabIndex = -1;
    this.node.dataset.flRuntable = '';
  }

  get model(): RunTableModel {
    return this.options.model;
  }

  /** Show the runs of one experiment, or of all. */
  showExperiment(experiment: string): void {
    this.model.setFilter({ experiment });
    this.showPage('runs');
  }

  /** Show one of the tabs. */
  showPage(page: RunTablePage): void {
    this._first = page;
    this._page.emit(page);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <Content {...this.options} page={this._page} first={this._first} />;
  }

  /** What is shown when it is drawn for the first time. */
  private _first: RunTablePage = 'runs';
  private readonly _page = new Signal<this, RunTablePage>(this);
}

function Content(
  props: IRunTableOptions & { page: ISignal<unknown, RunTablePage>; first: RunTablePage }
): JSX.Element {
  const { model, trans } = props;
  const [page, setPage] = React.useState<RunTablePage>(props.first);
  const [experiments, setExperiments] = React.useState<IExperiment[]>([]);
  React.useEffect(() => {
    const show = (_: unknown, to: RunTablePage): void => setPage(to);
    props.page.connect(show);
    return () => void props.page.disconnect(show);
  }, [props.page]);
  React.useEffect(() => {
    let shown = true;
    props.experiments(false).then(
      found => shown && setExperiments(found),
      // Without them there is no choice among them; their tab says why.
      () => shown && setExperiments([])
    );
    return () => {
      shown = false;
    };
  }, [page]);
  const tabs = [
    { name: 'runs', label: trans.__('Runs') },
    { name: 'experiments', label: trans.__('Experiments') },
    { name: 'recurring', label: trans.__('Recurring runs') }
  ];
  const id = 'fl-runtable';
  return (
    <>
      <TabBar
        tabs={tabs}
        current={page}
        id={id}
        label={trans.__('Runs and experiments')}
        onChange={name => setPage(name as RunTablePage)}
      />
      <TabPanel name="runs" current={page} id={id}>
        <UseSignal signal={model.changed}>
          {() => (
            <>
              <RunFilters model={model} experiments={experiments} trans={trans} />
              <Bulk {...props} />
              <Rows {...props} />
              <Pager model={model} trans={trans} />
            </>
          )}
        </UseSignal>
      </TabPanel>
      <TabPanel name="experiments" current={page} id={id}>
        <Experiments
          {...props}
          onShowRuns={experiment => {
            model.setFilter({ experiment, archived: false });
            setPage('runs');
          }}
        />
      </TabPanel>
      <TabPanel name="recurring" current={page} id={id}>
        <RecurringList {...props} />
      </TabPanel>
    </>
  );
}

/** What can be done with the chosen rows. */
function Bulk({ model, refusal, onBulk, trans }: IRunTableOptions): JSX.Element {
  const chosen = model.runs.filter(run => model.chosen.has(run.id));
  const active = chosen.filter(run => isActive(run.state) && run.state !== 'CANCELING');
  const ended = chosen.filter(run => !isActive(run.state) || canRetry(run.state));
  const verb = (name: BulkVerb, label: string, among: readonly IRunEntry[], why: string): JSX.Element => (
    <button
      type="button"
      className="fl-Button fl-mod-plain"
      data-fl-bulk={name}
      aria-disabled={why !== '' || among.length === 0}
      title={why}
      onClick={() => why || among.length === 0 || void onBulk(name, among)}
    >
      {label}
    </button>
  );
  const { archived } = model.filter;
  return (
    <div className="fl-Bulk" role="toolbar" aria-label={trans.__('Actions on the chosen runs')}>
      <span className="fl-Bulk-count" role="status">
        {chosen.length
          ? trans._n('%1 chosen', '%1 chosen', chosen.length)
          : trans.__('Choose runs to act on many at once.')}
      </span>
      {chosen.length > 0 && (
        <>
          {verb(
            'compare',
            trans.__('Compare'),
            chosen,
            chosen.length < 2 ? trans.__('Choose two or more.') : ''
          )}
          {chosen.every(run => run.pinned)
            ? verb('unpin', trans.__('Unpin'), chosen, '')
            : verb('pin', trans.__('Pin'), chosen, '')}
          {verb('label', trans.__('Label…'), chosen, '')}
          {archived
            ? verb('unarchive', trans.__('Bring back'), chosen, refusal('archive'))
            : verb(
                'archive',
                trans.__('Archive'),
                ended,
                refusal('archive') || (ended.length ? '' : trans.__('A run that goes on is not put away.'))
              )}
          {verb(
            'stop',
            trans.__('Stop'),
            active,
            refusal('stop') || (active.length ? '' : trans.__('None of them goes on.'))
          )}
          {verb('delete', trans.__('Delete…'), chosen, refusal('delete'))}
        </>
      )}
    </div>
  );
}

function Rows({ model, onOpen, trans }: IRunTableOptions): JSX.Element {
  const { load, runs, filter } = model;
  const again = { label: trans.__('Try again'), name: 'refresh', run: () => void model.refresh() };
  if (load.kind === 'error' || load.kind === 'gone') {
    return <Message kind="error" text={load.message} hint={load.hint} action={again} />;
  }
  if (load.kind === 'missing') {
    const text = trans.__('This Jupyter Server does not run the Fairlead extension.');
    return <Message kind="missing" text={text} action={again} />;
  }
  if (load.kind !== 'ready') {
    return <Message kind="loading" text={trans.__('Loading…')} />;
  }
  if (runs.length === 0) {
    const { name, states, experiment, label, archived } = filter;
    const filtered = name || states.length || experiment || label || archived;
    return <Message kind="empty" text={filtered ? trans.__('No run is so.') : trans.__('No runs yet.')} />;
  }
  return (
    <RunTable
      runs={runs}
      chosen={model.chosen}
      sort={filter.sort}
      descending={filter.descending}
      onSort={(sort, descending) => model.setFilter({ sort, descending })}
      onChoose={(ids, chosen) => model.choose(ids, chosen)}
      onOpen={onOpen}
      onLabel={label => model.setFilter({ label })}
      trans={trans}
    />
  );
}

function Pager({ model, trans }: { model: RunTableModel; trans: ITrans }): JSX.Element | null {
  if (model.load.kind !== 'ready' || model.total === 0) {
    return null;
  }
  const [first, last] = model.range;
  return (
    <nav className="fl-Pager" aria-label={trans.__('Pages')}>
      <button
        type="button"
        className="fl-Button fl-mod-plain"
        data-fl-action="previous-page"
        disabled={!model.hasPrevious}
        onClick={() => model.previous()}
      >
        {trans.__('Previous')}
      </button>
      <span role="status" data-fl-fact="range">
        {trans.__('%1–%2 of %3', first, last, model.total)}
      </span>
      <button
        type="button"
        className="fl-Button fl-mod-plain"
        data-fl-action="next-page"
        disabled={!model.hasNext}
        onClick={() => model.next()}
      >
        {trans.__('Next')}
      </button>
    </nav>
  );
}
