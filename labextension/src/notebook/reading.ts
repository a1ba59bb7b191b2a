/**
 * What is known of the steps of one open notebook: read anew as one types, and edited.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { PartialJSONObject } from '@lumino/coreutils';
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import type { FairleadClient } from '../api/client';
import { ServerMissingError } from '../api/errors';
import type { IAnalysis, IStep } from '../api/types';
import { mayHaveSteps } from '../model/chips';
import type { IStepCell } from '../model/stepcells';
import { StepEdits } from '../model/stepedits';
import { contentOf } from './content';

/** A pause in typing, after which the notebook is read again. */
const PAUSE_MS = 400;
const NOTHING: IAnalysis = { steps: [], parameters: [], problems: [] };

export class NotebookReading implements IDisposable {
  constructor(
    readonly panel: NotebookPanel,
    private readonly client: FairleadClient
  ) {
    panel.content.modelContentChanged.connect(this._onContent, this);
    panel.content.modelChanged.connect(this._onContent, this);
    panel.disposed.connect(this.dispose, this);
    void panel.context.ready.then(() => this._read());
  }

  /** The analysis, or the content that it is of, is another. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get analysis(): IAnalysis {
    return this._analysis;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._pause.dispose();
    this.panel.content.modelContentChanged.disconnect(this._onContent, this);
    this.panel.content.modelChanged.disconnect(this._onContent, this);
    Signal.clearData(this);
  }

  /** The cells, as far as they decide about steps. */
  get cells(): IStepCell[] {
    return [...(this.panel.content.model?.cells ?? [])].map(cell => {
      const { tags, fairlead } = cell.metadata as { tags?: unknown; fairlead?: unknown };
      return {
        id: cell.id,
        type: cell.type,
        source: cell.sharedModel.getSource(),
        tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [],
        fairlead: isObject(fairlead) ? fairlead : {}
      };
    });
  }

  /** The step that a cell is part of, or null. */
  stepOf(cellId: string): IStep | null {
    return this._analysis.steps.find(step => step.cell_ids.includes(cellId)) ?? null;
  }

  get isReadOnly(): boolean {
    return this.panel.content.model?.readOnly === true;
  }

  /** Edit steps: one change to undo, and one for those who work on the notebook too. */
  async edit(change: (edits: StepEdits, cells: readonly IStepCell[]) => void): Promise<void> {
    const { model } = this.panel.content;
    if (!model || this.isReadOnly) {
      return;
    }
    const given = this.cells;
    const edits = new StepEdits(given, this._analysis.steps);
    change(edits, given);
    const cells = new Map([...model.cells].map(cell => [cell.id, cell.sharedModel]));
    model.sharedModel.transact(() => {
      for (const { id, tags, fairlead, source } of edits.changes) {
        const shared = cells.get(id)!;
        set(shared, 'tags', tags, tags.length === 0);
        set(shared, 'fairlead', fairlead, Object.keys(fairlead).length === 0);
        if (shared.getSource() !== source) {
          shared.setSource(source);
        }
      }
    });
    await this._read();
  }

  private _onContent(): void {
    this._pause.invoke().catch(() => undefined);
  }

  private async _read(): Promise<void> {
    const { model } = this.panel.content;
    if (!model || this._isDisposed) {
      return;
    }
    const content = contentOf(model);
    const text = JSON.stringify(content);
    if (text === this._text) {
      return;
    }
    this._text = text;
    let analysis = NOTHING;
    if (mayHaveSteps(content)) {
      try {
        analysis = await this.client.analyse(content);
      } catch (error) {
        if (!(error instanceof ServerMissingError)) {
          console.warn('Fairlead could not read the steps of the notebook:', error);
        }
      }
    }
    // Typed on meanwhile: a newer reading is under way and will tell.
    if (this._text === text && !this._isDisposed) {
      this._analysis = analysis;
      this._changed.emit();
    }
  }

  private readonly _pause = new Debouncer(() => this._read(), PAUSE_MS);
  private readonly _changed = new Signal<this, void>(this);
  private _analysis = NOTHING;
  private _text = '';
  private _isDisposed = false;
}

/** One reading for all who look at a notebook. */
export class Readings {
  constructor(private readonly client: FairleadClient) {}

  of(panel: NotebookPanel): NotebookReading {
    const found = this._readings.get(panel) ?? new NotebookReading(panel, this.client);
    this._readings.set(panel, found);
    return found;
  }

  private readonly _readings = new WeakMap<NotebookPanel, NotebookReading>();
}

type Shared = { setMetadata(key: string, value: never): void; deleteMetadata(key: string): void };

function set(shared: Shared, key: string, value: unknown, empty: boolean): void {
  if (empty) {
    shared.deleteMetadata(key);
  } else {
    shared.setMetadata(key, value as never);
  }
}

const isObject = (value: unknown): value is PartialJSONObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
