/**
 * What all parts of the extension share.
 */
import type { INotebookContent } from '@jupyterlab/nbformat';

import type { FairleadClient } from '../api/client';
import type { IFeed } from '../api/feed';
import { ContextModel } from './context';
import { RecurringModel } from './recurring';
import { RunModel } from './run';
import { RunFeed } from './runfeed';
import { RunsModel } from './runs';
import { RunTableModel } from './runtable';
import { StartedRuns } from './started';
import { TrainingModel } from './training';

export class FairleadSession {
  constructor(
    readonly client: FairleadClient,
    feed: IFeed
  ) {
    this.context = new ContextModel(client, feed);
    this.runFeed = new RunFeed(feed);
    this.runs = new RunsModel(client, this.runFeed, this.context);
    this.training = new TrainingModel(feed, this.context);
  }

  readonly context: ContextModel;
  readonly runFeed: RunFeed;
  readonly runs: RunsModel;
  readonly training: TrainingModel;
  readonly started = new StartedRuns();

  /** Number of a cell, from 1, in the open notebook that has it; null when none has. */
  cellNumber: (cellId: string) => number | null = () => null;

  /** Path of the notebook that is, or was last, in front; null without one. */
  currentNotebook: () => string | null = () => null;

  /** Present content of an open notebook; null when none of that path is open. */
  contentOf: (path: string) => INotebookContent | null = () => null;

  /** The recurring runs; whoever asks disposes of the model. */
  recurring(): RecurringModel {
    return new RecurringModel(this.client.recurring, this.runFeed, this.context);
  }

  /** A table of all runs; whoever asks disposes of the model. */
  table(): RunTableModel {
    return new RunTableModel(this.client, this.runFeed, this.context);
  }

  /** Follow one run; whoever asks disposes of the model. */
  follow(id: string): RunModel {
    this.runs.start();
    return new RunModel(id, this.client, this.runFeed, this.context);
  }
}
