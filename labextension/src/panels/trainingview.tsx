/**
 * One training job in the main area: how it stands, its replicas, and what they say.
 */
import { deleteIcon, LabIcon, ReactWidget, runIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IJob } from '../api/trainingtypes';
import { Elapsed } from '../components/Elapsed';
import { JobVerb, Ready } from '../components/JobList';
import { Message } from '../components/Message';
import { ReplicaTable } from '../components/ReplicaTable';
import { StateIcon } from '../components/StateIcon';
import { isActive, stateKey, stateLabel } from '../components/states';
import { TabBar, TabPanel } from '../components/Tabs';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';
import { suspendIcon } from './icons';
import { JobEvents } from './jobevents';
import { LogPane } from './logpane';
import type { Highlight } from './notebookview';
import { ManifestPane } from './panes';
import { jobRefusal } from './refusals';

export interface ITrainingViewOptions {
  uid: string;
  session: FairleadSession;
  highlight: Highlight;
  trans: ITrans;
  onVerb: (verb: JobVerb, uid: string) => void;
}

export class TrainingView extends ReactWidget {
  constructor(private readonly options: ITrainingViewOptions) {
    super();
    this.addClass('fl-JobView');
    this.addClass('fl-theme');
    this.node.tabIndex = -1;
    this.node.dataset.flJobview = options.uid;
    options.session.training.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  get uid(): string {
    return this.options.uid;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._watch.dispose();
      this.options.session.training.changed.disconnect(this._onChanged, this);
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.options.session.training.changed}>{() => this._content()}</UseSignal>;
  }

  private _content(): JSX.Element {
    const { session, trans } = this.options;
    const { ready, health } = session.training;
    if (this._job) {
      return <Job {...this.options} job={this._job} gone={this._gone} />;
    }
    if (ready) {
      return <Message kind="empty" text={trans.__('This job is no longer there.')} />;
    }
    return health.health === 'error' ? (
      <Message kind="error" text={health.message} hint={health.hint} />
    ) : (
      <Message kind="loading" text={trans.__('Loading…')} />
    );
  }

  private _onChanged(): void {
    const { training } = this.options.session;
    const found = training.find(this.options.uid);
    // A job that was deleted is shown as last known.
    this._gone = this._job !== null && found === null && training.ready;
    this._job = found ?? this._job;
    this.node.dataset.flState = stateKey(this._job?.state);
    this.title.label = this._job?.name ?? this.options.trans.__('Training job');
    this.title.caption = this._job ? `${this._job.kind} ${this._job.namespace}/${this._job.name}` : '';
  }

  private _job: IJob | null = null;
  private _gone = false;
  private readonly _watch = this.options.session.training.watch();
}

interface IJobProps extends ITrainingViewOptions {
  job: IJob;
  gone: boolean;
}

function Job(props: IJobProps): JSX.Element {
  const { job, gone, trans } = props;
  const [replica, setReplica] = React.useState<string | null>(null);
  const chosen = job.replicas.find(one => one.name === replica) ?? null;
  return (
    <>
      <JobHeader {...props} />
      {gone && <Message kind="empty" text={trans.__('This job was deleted.')} />}
      <div className="fl-JobView-body">
        <section className="fl-JobView-replicas" aria-label={trans.__('Replicas')}>
          {job.replicas.length ? (
            <ReplicaTable
              replicas={job.replicas}
              selected={chosen?.name ?? null}
              onSelect={setReplica}
              trans={trans}
            />
          ) : (
            <Message kind="empty" text={trans.__('There are no replicas now.')} />
          )}
        </section>
        <section className="fl-JobView-details">
          <Details {...props} replica={chosen?.name ?? null} />
        </section>
      </div>
    </>
  );
}

function JobHeader({ job, gone, session, trans, onVerb }: IJobProps): JSX.Element {
  const live = isActive(job.state);
  const verb = (name: JobVerb, icon: LabIcon, label: string): JSX.Element => {
    const refusal = jobRefusal(session.context, name, job.kind);
    return (
      <button
        type="button"
        className="fl-Button"
        data-fl-action={name}
        aria-disabled={refusal !== ''}
        title={refusal || label}
        onClick={() => refusal || onVerb(name, job.uid)}
      >
        <icon.react tag="span" />
        <span className="fl-Button-label">{label}</span>
      </button>
    );
  };
  return (
    <header className="fl-RunHeader fl-JobView-head" data-fl-state={stateKey(job.state)}>
      <div className="fl-RunHeader-line">
        <StateIcon state={job.state} trans={trans} silent />
        <h2 className="fl-RunHeader-name">{job.name}</h2>
        <span className="fl-JobView-kind">{job.kind}</span>
        <span className="fl-RunHeader-state" role="status" data-fl-fact="job-state">
          {stateLabel(job.state, trans)}
        </span>
        <Ready job={job} trans={trans} />
        <Elapsed
          className="fl-RunHeader-time"
          from={job.started_at ?? job.created_at}
          until={job.finished_at}
          live={live}
        />
        {!gone && (
          <span className="fl-RunHeader-verbs" role="group" aria-label={trans.__('Actions')}>
            {live && verb('suspend', suspendIcon, trans.__('Suspend'))}
            {job.state === 'SUSPENDED' && verb('resume', runIcon, trans.__('Resume'))}
            {verb('delete', deleteIcon, trans.__('Delete…'))}
          </span>
        )}
      </div>
      {job.message &&
        (job.state === 'FAILED' ? (
          <div className="fl-Error" role="alert" data-fl-error="job">
            <pre className="fl-Error-text">{job.message}</pre>
          </div>
        ) : (
          <p className="fl-FormField-help" role="status" data-fl-fact="waits-for">
            {job.message}
          </p>
        ))}
    </header>
  );
}

function Details(props: IJobProps & { replica: string | null }): JSX.Element {
  const { job, replica, session, trans } = props;
  const [tab, setTab] = React.useState('logs');
  const { client, runFeed } = session;
  const id = `fl-job-${job.uid}`;
  const tabs = [
    { name: 'logs', label: replica ? trans.__('Log of %1', replica) : trans.__('Logs') },
    { name: 'events', label: trans.__('Events') },
    { name: 'manifest', label: trans.__('Manifest') }
  ];
  const panel = (name: string, children: React.ReactNode): JSX.Element => (
    <TabPanel name={name} current={tab} id={id}>
      {children}
    </TabPanel>
  );
  const shown = job.replicas.filter(one => replica === null || one.name === replica);
  return (
    <>
      <TabBar tabs={tabs} current={tab} id={id} label={job.name} onChange={setTab} />
      {panel(
        'logs',
        <LogPane
          // Replicas that come, and starts after a failure, have logs of their own.
          source={shown.map(one => `${one.name} ${one.started_at ?? ''} ${one.restarts}`).join()}
          begun={shown.some(one => one.started_at !== null)}
          live={shown.some(one => isActive(one.state))}
          read={options => client.training.log(job, replica, options)}
          empty="empty"
          feed={runFeed}
          trans={trans}
        />
      )}
      {panel(
        'events',
        <JobEvents version={eventsVersion(job)} read={() => client.training.events(job)} trans={trans} />
      )}
      {panel(
        'manifest',
        <ManifestPane
          version={`${job.uid} ${job.version}`}
          read={() => client.training.manifest(job)}
          highlight={props.highlight}
          trans={trans}
        />
      )}
    </>
  );
}

/** Changes whenever there may be new Events. */
function eventsVersion(job: IJob): string {
  return [job.uid, job.version, ...job.replicas.map(one => `${one.state}${one.message}${one.restarts}`)].join(
    ' '
  );
}
