/**
 * What all parts of the extension share.
 */
import type { FairleadClient } from '../api/client';
import type { IFairleadEvents } from '../api/events';
import { RunModel } from './run';
import { RunsModel } from './runs';
import { StartedRuns } from './started';

export class FairleadSession {
  constructor(
    readonly client: FairleadClient,
    readonly events: IFairleadEvents
  ) {
    this.runs = new RunsModel(client, events);
  }

  readonly runs: RunsModel;
  readonly started = new StartedRuns();

  /** Number of a cell, from 1, in the open notebook that has it; null when none has. */
  cellNumber: (cellId: string) => number | null = () => null;

  /** Follow one run; whoever asks disposes of the model. */
  follow(id: string): RunModel {
    // The list asks for the context first, and with that the server begins to tell of changes.
    this.runs.start();
    return new RunModel(id, this.client, this.events);
  }
}
