/**
 * The list of artifacts in the main area, with what chooses among them.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ArtifactTable } from '../components/artifact/ArtifactTable';
import { Choice, ChoiceFilter, Filters, NameFilter } from '../components/Filters';
import { Message } from '../components/Message';
import type { ITrans } from '../components/text';
import type { ArtifactsModel } from '../model/artifacts';
import type { FairleadSession } from '../model/session';

/** KFP's classes of artifacts. */
const TYPES = [
  'Artifact',
  'Dataset',
  'Model',
  'Metrics',
  'ClassificationMetrics',
  'SlicedClassificationMetrics',
  'HTML',
  'Markdown'
];

export interface IArtifactListOptions {
  model: ArtifactsModel;
  session: FairleadSession;
  trans: ITrans;
  onOpen: (artifact: string) => void;
  onOpenRun: (run: string) => void;
}

export class ArtifactList extends ReactWidget {
  constructor(private readonly options: IArtifactListOptions) {
    super();
    this.addClass('fl-ArtifactList');
    this.addClass('fl-theme');
    this.node.dataset.flArtifacts = '';
    this.title.label = options.trans.__('Artifacts');
  }

  get model(): ArtifactsModel {
    return this.options.model;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.options.model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    const { model, session } = this.options;
    return (
      <UseSignal signal={session.runs.changed}>
        {() => <UseSignal signal={model.changed}>{() => <Content {...this.options} />}</UseSignal>}
      </UseSignal>
    );
  }
}

function Content(props: IArtifactListOptions): JSX.Element {
  const { model, session, trans } = props;
  return (
    <>
      <Filter {...props} />
      <div className="fl-ArtifactList-body">
        <Rows {...props} />
        {model.hasMore && (
          <button
            type="button"
            className="fl-RunList-more"
            data-fl-action="more-artifacts"
            onClick={() => void model.more()}
          >
            {trans.__('Show more: %1 of %2 shown', model.artifacts.length, model.total)}
          </button>
        )}
      </div>
      <span className="fl-visuallyHidden" role="status">
        {model.load.kind === 'ready' && trans._n('%1 artifact', '%1 artifacts', model.total)}
      </span>
      <Start session={session} />
    </>
  );
}

/** The runs are asked for when somebody wants to choose among them. */
function Start({ session }: { session: FairleadSession }): null {
  React.useEffect(() => session.runs.start(), []);
  return null;
}

function Filter({ model, session, trans }: IArtifactListOptions): JSX.Element {
  const { filter } = model;
  const runs = session.runs.runs.map(({ id, name }): Choice => [id, `${name} · ${id.slice(0, 8)}`]);
  if (filter.run && !runs.some(([id]) => id === filter.run)) {
    runs.unshift([filter.run, filter.run.slice(0, 8)]);
  }
  return (
    <Filters label={trans.__('Filter artifacts')}>
      <NameFilter
        name="name"
        placeholder={trans.__('Filter by name')}
        value={filter.name}
        onChange={name => model.choose({ name })}
      />
      <ChoiceFilter
        name="type"
        label={trans.__('Type')}
        value={filter.type}
        choices={[['', trans.__('All types')], ...TYPES.map((type): Choice => [type, type])]}
        onChange={type => model.choose({ type })}
      />
      <ChoiceFilter
        name="run"
        label={trans.__('Run')}
        value={filter.run}
        choices={[['', trans.__('All runs')], ...runs]}
        onChange={run => model.choose({ run })}
      />
    </Filters>
  );
}

function Rows({ model, session, trans, onOpen, onOpenRun }: IArtifactListOptions): JSX.Element {
  const { load, artifacts, reason, filter } = model;
  if (load.kind === 'error' || load.kind === 'gone') {
    const again = { label: trans.__('Try again'), name: 'refresh', run: () => void model.refresh() };
    return <Message kind="error" text={load.message} hint={load.hint} action={again} />;
  }
  if (load.kind === 'missing') {
    const text = trans.__('This Jupyter Server does not run the Fairlead extension.');
    return <Message kind="missing" text={text} />;
  }
  if (load.kind !== 'ready') {
    return <Message kind="loading" text={trans.__('Loading…')} />;
  }
  if (reason) {
    return <Message kind="empty" text={reason} hint={trans.__('Choose a run above.')} />;
  }
  if (artifacts.length === 0) {
    const chosen = filter.run || filter.name || filter.type;
    return (
      <Message
        kind="empty"
        text={chosen ? trans.__('No artifact is like this.') : trans.__('No artifacts yet.')}
        hint={chosen ? '' : trans.__('What the tasks of a run write is listed here.')}
      />
    );
  }
  return (
    <ArtifactTable
      artifacts={artifacts}
      trans={trans}
      onOpen={onOpen}
      onOpenRun={onOpenRun}
      download={row =>
        row.id || !row.maker
          ? session.client.contentUrl(row.id)
          : session.client.artifactUrl(row.maker.run_id, row.maker.task_name, row.maker.key)
      }
    />
  );
}
