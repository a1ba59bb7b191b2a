/**
 * The sidebar: its head, and below it the sections of what there is.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message as LuminoMessage } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import * as React from 'react';

import type { JobVerb } from '../components/JobList';
import { Message } from '../components/Message';
import { RunList, RunVerb } from '../components/RunList';
import { Section } from '../components/Section';
import type { ITrans } from '../components/text';
import { Trouble } from '../components/Trouble';
import type { ArtifactsModel } from '../model/artifacts';
import type { RunsModel } from '../model/runs';
import type { TrainingModel } from '../model/training';
import { NewestArtifacts } from './artifactsection';
import { Head, IHeadOptions, SwitchPart } from './head';
import { runRefusal } from './refusals';
import { TrainingSection } from './trainingsection';

export const PANEL_ID = 'fairlead-panel';
/** Among the names of folded sections: the one that is folded at first was opened. */
const ARTIFACTS_OPEN = 'artifacts-open';

export interface ISidebarOptions extends Omit<IHeadOptions, 'openSwitch'> {
  runs: RunsModel;
  trans: ITrans;
  /** Names of the folded sections. */
  folded: ReadonlySet<string>;
  /** Keep which sections are folded. */
  onFolded: (folded: ReadonlySet<string>) => void;
  onVerb: (verb: RunVerb, id: string) => void;
  /** Show all runs in the main area. */
  onAllRuns: () => void;
  training: TrainingModel;
  onJobVerb: (verb: JobVerb, uid: string) => void;
  /** Makes the list of the newest artifacts. */
  artifacts: () => ArtifactsModel;
  onArtifact: (id: string) => void;
  /** Show all artifacts in the main area. */
  onAllArtifacts: () => void;
  /** Start a run, or lead to where one is started. */
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

  /** Let the reader choose another context or namespace. */
  openSwitch(part: SwitchPart): void {
    this._openSwitch.emit(part);
  }

  protected override onAfterShow(message: LuminoMessage): void {
    super.onAfterShow(message);
    this._begin();
  }

  protected override onAfterAttach(message: LuminoMessage): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this._begin();
    }
  }

  protected override onBeforeHide(message: LuminoMessage): void {
    this._usage?.dispose();
    this._usage = null;
    this._training?.dispose();
    this._training = null;
    super.onBeforeHide(message);
  }

  protected override render(): JSX.Element {
    const { runs, context } = this.options;
    return (
      <>
        <Head {...this.options} openSwitch={this._openSwitch} />
        <UseSignal signal={context.changed}>
          {() => <UseSignal signal={runs.changed}>{() => this._body()}</UseSignal>}
        </UseSignal>
      </>
    );
  }

  /** Nothing is asked of the server before somebody looks, and usage and jobs only while somebody does. */
  private _begin(): void {
    this.options.runs.start();
    this._usage ??= this.options.context.watchUsage();
    this._training ??= this.options.training.watch();
  }

  private _body(): JSX.Element {
    const { runs, context } = this.options;
    return (
      <div className="fl-Sidebar-body" data-fl-stale={context.stale || runs.health.health === 'reconnecting'}>
        {this._sections()}
      </div>
    );
  }

  private _sections(): JSX.Element {
    const { runs, trans } = this.options;
    const { load } = runs;
    if (load.kind === 'missing') {
      return (
        <Message
          kind="missing"
          text={trans.__('This Jupyter Server does not run the Fairlead extension.')}
          hint={trans.__('Enable it where Jupyter runs, then restart Jupyter:')}
          code="jupyter server extension enable fairlead_server"
          action={this._again()}
        />
      );
    }
    return (
      <>
        {this._runsSection()}
        {this._trainingSection()}
        {this._artifactsSection()}
      </>
    );
  }

  private _trainingSection(): JSX.Element {
    const { training, context, trans, onJobVerb } = this.options;
    return (
      <TrainingSection
        training={training}
        context={context}
        folded={this._folded.has('training')}
        onFold={fold => this._fold('training', fold)}
        onVerb={onJobVerb}
        trans={trans}
      />
    );
  }

  /** Folded unless it was opened: what is in it is asked for only then. */
  private _artifactsSection(): JSX.Element {
    const { context, trans, onArtifact } = this.options;
    const capability = context.capability('Run');
    return (
      <Section
        name="artifacts"
        title={trans.__('Artifacts')}
        summary=""
        missing={capability?.available === false ? capability.reason : ''}
        folded={!this._folded.has(ARTIFACTS_OPEN)}
        onFold={fold => this._fold(ARTIFACTS_OPEN, !fold)}
        open={{ label: trans.__('Show all artifacts'), run: this.options.onAllArtifacts }}
      >
        <NewestArtifacts create={this.options.artifacts} onOpen={onArtifact} trans={trans} />
      </Section>
    );
  }

  private _runsSection(): JSX.Element {
    const { runs, context, trans } = this.options;
    const capability = context.capability('Run');
    return (
      <Section
        name="runs"
        title={trans.__('Runs')}
        summary={
          runs.active ? trans._n('%1 running', '%1 running', runs.active) : String(runs.runs.length || '')
        }
        missing={capability?.available === false ? capability.reason : ''}
        folded={this._folded.has('runs')}
        onFold={fold => this._fold('runs', fold)}
        open={{ label: trans.__('Show all runs'), run: this.options.onAllRuns }}
        add={{
          label: trans.__('Run a notebook as pipeline'),
          refusal: runRefusal(context, 'start'),
          run: this.options.onStart
        }}
      >
        {this._runs()}
      </Section>
    );
  }

  private _runs(): JSX.Element {
    const { runs, context, trans } = this.options;
    const { load } = runs;
    // What was known stays; the head says what is wrong.
    if (runs.runs.length) {
      return (
        <>
          {this._notLive()}
          <RunList
            runs={runs.runs}
            onVerb={this.options.onVerb}
            onAll={this.options.onAllRuns}
            refusal={verb => runRefusal(context, verb)}
            trans={trans}
          />
        </>
      );
    }
    if (load.kind === 'error' || load.kind === 'gone') {
      // Trouble with the whole context stands in the head already.
      return context.stale ? (
        <></>
      ) : (
        <Message kind="error" text={load.message} hint={load.hint} action={this._again()} />
      );
    }
    if (load.kind !== 'ready') {
      return <Message kind="loading" text={trans.__('Loading…')} />;
    }
    return (
      <>
        {this._notLive()}
        <Message
          kind="empty"
          text={trans.__('No runs yet.')}
          hint={trans.__(
            'A run takes the steps of a notebook from the first to the last, in parallel where it can.'
          )}
          action={
            runRefusal(context, 'start')
              ? undefined
              : { label: trans.__('Run a notebook'), name: 'start', run: this.options.onStart }
          }
        />
      </>
    );
  }

  /** Where the list can be read but not followed, it says so. */
  private _notLive(): JSX.Element | null {
    const { runs, context, trans } = this.options;
    const { health, message, hint } = runs.health;
    // Trouble with the whole context stands in the head already.
    if (context.stale || (health !== 'reconnecting' && health !== 'error')) {
      return null;
    }
    return (
      <Trouble
        kind={health}
        text={trans.__('Runs are not followed now: refresh to see what changed.')}
        why={message}
        hint={hint}
        action={{ ...this._again(), label: trans.__('Refresh') }}
      />
    );
  }

  private _again(): { label: string; name: string; run: () => void } {
    const { runs, context, trans } = this.options;
    const run = (): void => {
      void context.refresh();
      void runs.refresh();
    };
    return { label: trans.__('Try again'), name: 'refresh', run };
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
  private _usage: IDisposable | null = null;
  private _training: IDisposable | null = null;
  private readonly _openSwitch = new Signal<this, SwitchPart>(this);
}
