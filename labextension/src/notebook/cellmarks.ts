/**
 * The chips of one open notebook: read anew as one types, drawn into the cells' own headers.
 */
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';

import { ServerMissingError } from '../api/errors';
import type { IAnalysis } from '../api/types';
import { chipElement, noteElement } from '../components/chip';
import type { ITrans } from '../components/text';
import { ICellMarks, marksOf, mayHaveSteps } from '../model/chips';
import type { RunModel } from '../model/run';
import type { FairleadSession } from '../model/session';
import { contentOf } from './content';
import { underline } from './underline';

/** A pause in typing, after which the notebook is read again. */
const PAUSE_MS = 400;
/** Lab gives every cell a header of no height, for extensions to use. */
const HEADER = ':scope > .jp-CellHeader';

export class CellMarks implements IDisposable {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly session: FairleadSession,
    private readonly trans: ITrans
  ) {
    panel.content.modelContentChanged.connect(this._onContent, this);
    panel.content.modelChanged.connect(this._onContent, this);
    panel.disposed.connect(this.dispose, this);
    session.started.changed.connect(this._onStarted, this);
    void panel.context.ready.then(() => {
      if (!this._isDisposed) {
        this._onStarted(null, panel.context.path);
        void this._analyse();
      }
    });
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
    this._run?.dispose();
    this.panel.content.modelContentChanged.disconnect(this._onContent, this);
    this.panel.content.modelChanged.disconnect(this._onContent, this);
    this.session.started.changed.disconnect(this._onStarted, this);
    if (!this.panel.isDisposed) {
      this._marks = new Map();
      this._draw();
    }
  }

  private _onContent(): void {
    // A moved cell has a new widget: give it its chip at once, and what it says when the reading is done.
    this._draw();
    this._pause.invoke().catch(() => undefined);
  }

  private _onStarted(_: unknown, path: string): void {
    const id = this.session.started.of(path);
    if (path !== this.panel.context.path || id === null || id === this._run?.id) {
      return;
    }
    this._run?.dispose();
    this._run = this.session.follow(id);
    this._run.changed.connect(() => this._remark());
  }

  private async _analyse(): Promise<void> {
    const model = this.panel.content.model;
    if (!model || this._isDisposed) {
      return;
    }
    const content = contentOf(model);
    const drawn = JSON.stringify(content);
    if (drawn === this._analysed) {
      return;
    }
    this._analysed = drawn;
    let analysis: IAnalysis = { steps: [], parameters: [], problems: [] };
    if (mayHaveSteps(content)) {
      try {
        analysis = await this.session.client.analyse(content);
      } catch (error) {
        if (!(error instanceof ServerMissingError)) {
          console.warn('Fairlead could not read the steps of the notebook:', error);
        }
      }
    }
    // Typed on meanwhile: a newer reading is under way and will draw.
    if (this._analysed === drawn && !this._isDisposed) {
      this._analysis = analysis;
      this._remark();
    }
  }

  private _remark(): void {
    this._marks = marksOf(this._analysis, this._run?.run?.graph.nodes);
    this._draw();
  }

  private _draw(): void {
    for (const cell of this.panel.content.widgets) {
      const marks = this._marks.get(cell.model.id);
      if (marks && cell.isPlaceholder()) {
        // Far out of sight it has no header yet; Lab makes it when it comes near.
        void cell.ready.then(() => !cell.isDisposed && this._drawCell(cell));
      } else {
        this._drawCell(cell);
      }
    }
  }

  private _drawCell(cell: Cell): void {
    const header = cell.node.querySelector<HTMLElement>(HEADER);
    const marks = this._marks.get(cell.model.id);
    const drawn = marks ? JSON.stringify(marks) : undefined;
    if (!header || header.dataset.flDrawn === drawn) {
      return;
    }
    header.replaceChildren(...(marks ? this._elements(marks) : []));
    underline(cell, marks?.problems ?? []);
    header.classList.toggle('fl-CellMarks', marks !== undefined);
    header.classList.toggle('fl-theme', marks !== undefined);
    if (drawn === undefined) {
      delete header.dataset.flDrawn;
    } else {
      header.dataset.flDrawn = drawn;
    }
  }

  private _elements(marks: ICellMarks): HTMLElement[] {
    const chip = marks.step ? [chipElement(marks.step, this.trans)] : [];
    return [...chip, ...marks.problems.map(problem => noteElement(problem, this.trans))];
  }

  private readonly _pause = new Debouncer(() => this._analyse(), PAUSE_MS);
  private _analysis: IAnalysis = { steps: [], parameters: [], problems: [] };
  private _marks = new Map<string, ICellMarks>();
  private _analysed = '';
  private _run: RunModel | null = null;
  private _isDisposed = false;
}
