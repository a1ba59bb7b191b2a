/**
 * The chips of one open notebook, drawn into the cells' own headers, and edited there.
 */
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { IDisposable } from '@lumino/disposable';

import type { IStep } from '../api/types';
import { chipElement, IChipActions, noteElement } from '../components/chip';
import { ChipEditor, ChipField } from '../components/chipeditor';
import type { ITrans } from '../components/text';
import { ICellMarks, marksOf } from '../model/chips';
import type { RunModel } from '../model/run';
import type { FairleadSession } from '../model/session';
import { settingsOf } from '../model/stepcells';
import { isOfField, nameTrouble, putText, textErrors, textsOf } from '../model/stepform';
import type { LiveValues } from './live';
import type { NotebookReading } from './reading';
import { nameTroubleWords, settingWords, sizeWords } from './stepwords';
import { underline } from './underline';

/** Lab gives every cell a header of no height, for extensions to use. */
const HEADER = ':scope > .jp-CellHeader';

export interface ICellMarksOptions {
  session: FairleadSession;
  live: LiveValues;
  trans: ITrans;
  /** Show the menu of a step below a button. */
  onMenu: (cellId: string, button: HTMLElement) => void;
  /** Show all settings of the step of the active cell. */
  onMore: () => void;
}

export class CellMarks implements IDisposable {
  constructor(
    private readonly reading: NotebookReading,
    private readonly options: ICellMarksOptions
  ) {
    this.panel = reading.panel;
    this.panel.content.modelContentChanged.connect(this._draw, this);
    this.panel.content.modelChanged.connect(this._draw, this);
    this.panel.disposed.connect(this.dispose, this);
    reading.changed.connect(this._remark, this);
    options.live.changed.connect(this._remark, this);
    options.session.started.changed.connect(this._onStarted, this);
    void this.panel.context.ready.then(() => {
      if (!this._isDisposed) {
        this._onStarted(null, this.panel.context.path);
        this._remark();
      }
    });
  }

  readonly panel: NotebookPanel;

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._run?.dispose();
    this.reading.changed.disconnect(this._remark, this);
    this.options.live.changed.disconnect(this._remark, this);
    this.panel.content.modelContentChanged.disconnect(this._draw, this);
    this.panel.content.modelChanged.disconnect(this._draw, this);
    this.options.session.started.changed.disconnect(this._onStarted, this);
    if (!this.panel.isDisposed) {
      this._marks = new Map();
      this._editing = null;
      this._draw();
    }
  }

  /** Edit the step that a cell is part of, in its chip. */
  async edit(cellId: string, field: ChipField = 'name'): Promise<void> {
    const first = this.reading.stepOf(cellId)?.cell_ids[0];
    const index = this.panel.content.widgets.findIndex(cell => cell.model.id === first);
    if (first === undefined || index < 0 || this.reading.isReadOnly) {
      return;
    }
    this.panel.content.activeCellIndex = index;
    await this.panel.content.scrollToItem(index, 'auto');
    await this.panel.content.widgets[index]?.ready;
    const step = this.reading.stepOf(first);
    if (!step || this._isDisposed) {
      return;
    }
    if (this._editing?.cellId !== first) {
      this._editing = { cellId: first, editor: this._editor(first, step) };
      this._draw();
    }
    this._editing.editor.focus(field);
  }

  private _editor(cellId: string, step: IStep): ChipEditor {
    const { trans } = this.options;
    const { steps } = this.reading.analysis;
    const editor = new ChipEditor({
      title: step.title,
      color: this._marks.get(cellId)?.step?.color ?? 0,
      steps: steps.filter(one => one.name !== step.name).map(one => one.name),
      trans,
      onChange: (field, text) => this._put(cellId, field, text),
      onMore: () => this.options.onMore(),
      onClose: back => this._close(cellId, back)
    });
    editor.update(textsOf(this.reading.cells, step), textErrors(this.reading.analysis.problems, step));
    return editor;
  }

  private _put(cellId: string, field: ChipField, text: string): string {
    const step = this.reading.stepOf(cellId);
    if (!step) {
      return '';
    }
    const trouble = field === 'name' ? nameTrouble(text, this.reading.analysis.steps, step) : null;
    if (trouble) {
      return nameTroubleWords(trouble, this.options.trans);
    }
    void this.reading.edit((edits, cells) => putText(edits, cells, step, field, text));
    return '';
  }

  private _close(cellId: string, back: boolean): void {
    this._editing = null;
    this._draw();
    if (back) {
      const cell = this.panel.content.widgets.find(one => one.model.id === cellId);
      cell?.node.querySelector<HTMLElement>('.fl-Chip-face')?.focus();
    }
  }

  private _onStarted(_: unknown, path: string): void {
    const { session } = this.options;
    const id = session.started.of(path);
    if (path !== this.panel.context.path || id === null || id === this._run?.id) {
      return;
    }
    this._run?.dispose();
    this._run = session.follow(id);
    this._run.changed.connect(() => this._remark());
  }

  private _remark(): void {
    const { analysis } = this.reading;
    const cells = this.reading.cells;
    const { values, problems } = this.options.live;
    const told = { ...analysis, problems: [...analysis.problems, ...problems] };
    this._marks = marksOf(told, this._run?.run?.graph.nodes, cells[0]?.id);
    this._sizes = sizeWords(values);
    this._settings = new Map(
      analysis.steps.map(step => [
        step.cell_ids[0],
        settingWords(settingsOf(cells, step), this.options.trans)
      ])
    );
    if (this._editing) {
      const { cellId, editor } = this._editing;
      const step = this.reading.stepOf(cellId);
      if (step?.cell_ids[0] === cellId) {
        editor.update(textsOf(cells, step), textErrors(analysis.problems, step));
      } else {
        this._editing = null;
      }
    }
    this._draw();
  }

  /** A moved cell has a new widget: it gets its chip at once, and what it says when the reading is done. */
  private _draw(): void {
    for (const cell of this.panel.content.widgets) {
      if (this._marks.has(cell.model.id) && cell.isPlaceholder()) {
        // Far out of sight it has no header yet; Lab makes it when it comes near.
        void cell.ready.then(() => !cell.isDisposed && this._drawCell(cell));
      } else {
        this._drawCell(cell);
      }
    }
  }

  private _drawCell(cell: Cell): void {
    const header = cell.node.querySelector<HTMLElement>(HEADER);
    const { id } = cell.model;
    const marks = this._marks.get(id);
    const settings = this._settings.get(id) ?? [];
    const sizes = Object.fromEntries(
      (marks?.step?.writes ?? []).flatMap(name => (this._sizes[name] ? [[name, this._sizes[name]]] : []))
    );
    const editor = this._editing?.cellId === id ? this._editing.editor : null;
    const drawn = marks ? JSON.stringify([marks, settings, sizes, editor !== null]) : undefined;
    if (!header || header.dataset.flDrawn === drawn) {
      return;
    }
    const hadFocus = header.contains(document.activeElement);
    // The editor shows those of its own fields.
    const told = (marks?.problems ?? []).filter(problem => !editor || !isOfField(problem));
    const notes = told.map(problem => noteElement(problem, this.options.trans));
    const chip = marks?.step
      ? [chipElement({ ...marks.step, settings, sizes }, this.options.trans, this._actions(id))]
      : [];
    if (editor?.node.parentElement === header) {
      // Left where it is, it keeps the focus and what is typed.
      [...header.children].filter(child => child !== editor.node).forEach(child => child.remove());
      header.append(...notes);
    } else {
      header.replaceChildren(...(editor ? [editor.node] : chip), ...notes);
      if (hadFocus && !editor) {
        header.querySelector<HTMLElement>('.fl-Chip-face')?.focus();
      }
    }
    underline(cell, marks?.problems ?? []);
    header.classList.toggle('fl-CellMarks', marks !== undefined);
    header.classList.toggle('fl-theme', marks !== undefined);
    if (drawn === undefined) {
      delete header.dataset.flDrawn;
    } else {
      header.dataset.flDrawn = drawn;
    }
  }

  private _actions(cellId: string): IChipActions | null {
    if (this.reading.isReadOnly) {
      return null;
    }
    return {
      onEdit: () => void this.edit(cellId),
      onMenu: button => this.options.onMenu(cellId, button)
    };
  }

  private _marks = new Map<string, ICellMarks>();
  private _sizes: Record<string, string> = {};
  private _settings = new Map<string, string[]>();
  private _editing: { cellId: string; editor: ChipEditor } | null = null;
  private _run: RunModel | null = null;
  private _isDisposed = false;
}
