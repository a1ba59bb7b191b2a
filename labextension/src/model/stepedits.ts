/**
 * Edits of steps, as changes of the cells' tags, metadata and headings. Pure.
 *
 * The form that a notebook has is kept: tags stay tags, metadata stays metadata, headings stay headings.
 */
import { JSONExt, JSONValue } from '@lumino/coreutils';

import type { IStep } from '../api/types';
import {
  AFTER_TAG,
  afterList,
  afterTags,
  IStepCell,
  lastHeading,
  replaceLine,
  slug,
  STEP_TAG,
  titleFor,
  titleOf,
  wordOf
} from './stepcells';

/** What else than a part of a step a code cell can be; the words are the tags. */
export type Role = 'skip' | 'setup' | 'parameters';

/** Tags that take a cell out of the steps, Kale's among them. */
const ROLES = ['skip', 'setup', 'imports', 'parameters', 'functions', 'pipeline-parameters'];

export class StepEdits {
  constructor(
    private readonly _given: readonly IStepCell[],
    private readonly _steps: readonly IStep[]
  ) {
    this._cells = _given.map(cell => ({ ...cell, tags: [...cell.tags], fairlead: { ...cell.fairlead } }));
  }

  /** The cells that are otherwise now. */
  get changes(): IStepCell[] {
    return this._cells.filter(
      (cell, index) => !JSONExt.deepEqual(cell as never, this._given[index] as never)
    );
  }

  /** The step that a cell is part of, or null. */
  stepOf(id: string): IStep | null {
    return this._steps.find(step => step.cell_ids.includes(id)) ?? null;
  }

  /** Give a step another title, wherever it is named. */
  rename(step: IStep, title: string): void {
    if (title === step.title) {
      return;
    }
    const heading = this._byTags() ? null : this._headingOf(step);
    if (heading) {
      heading.cell.source = replaceLine(heading.cell.source, heading.line, title);
    } else {
      this._pin();
      const named = this._cells.filter(cell => this._names(titleOf(cell), step));
      const first = this._first(step);
      for (const cell of named.length || !first ? named : [first]) {
        this._entitle(cell, title);
      }
    }
    this._replaceAfter(step, title);
  }

  /** Let a step wait for others, besides those whose values it takes. */
  setAfter(step: IStep, names: readonly string[]): void {
    const cells = this._cellsOf(step);
    const [first] = cells;
    if (!first) {
      return;
    }
    const written = cells.flatMap(cell => [...afterTags(cell), ...afterList(cell)]);
    const form = cells.some(cell => cell.fairlead.after !== undefined)
      ? 'metadata'
      : cells.some(cell => afterTags(cell).length)
        ? 'tags'
        : this._form();
    const titles = names.map(name => {
      const known = this._steps.find(one => one.name === name);
      return written.find(text => text === name || slug(text) === name) ?? (known ? titleFor(known) : name);
    });
    const word = wordOf([...cells, ...this._cells], AFTER_TAG, 'after');
    for (const cell of cells) {
      cell.tags = cell.tags.filter(tag => !AFTER_TAG.test(tag));
      delete cell.fairlead.after;
    }
    if (titles.length && form === 'metadata') {
      first.fairlead.after = titles;
    } else {
      first.tags.push(...titles.map(title => `${word}:${title}`));
    }
  }

  /** Set a setting of a step, or take it away with `undefined`. It stays in the cell that has it. */
  set(step: IStep, key: string, value: JSONValue | undefined): void {
    const cells = this._cellsOf(step);
    const holders = cells.filter(cell => cell.fairlead[key] !== undefined);
    const [target] = [...holders, ...cells];
    for (const cell of holders) {
      delete cell.fairlead[key];
    }
    if (target && value !== undefined) {
      target.fairlead[key] = value;
    }
  }

  /** Begin a step with a cell. */
  make(id: string, title: string): void {
    const cell = this._cell(id);
    if (cell?.type !== 'code') {
      return;
    }
    this._pin();
    cell.tags = cell.tags.filter(tag => !ROLES.includes(tag));
    this._entitle(cell, title);
  }

  /** Whether a cell could be joined to a step before it. */
  canJoin(id: string): boolean {
    const cell = this._cell(id);
    return cell?.type === 'code' && this._before(id) !== null && this._begins(cell);
  }

  /** Let a cell continue the step before it. Who waited for its own step, waits for that one. */
  join(id: string): void {
    const cell = this._cell(id);
    const before = this._before(id);
    if (!cell || !before) {
      return;
    }
    this._pin();
    const step = this.stepOf(id);
    const only = step?.cell_ids[0] === id;
    cell.tags = cell.tags.filter(tag => !ROLES.includes(tag));
    this._untitle(cell);
    if (step && only && !this._cells.some(one => this._names(titleOf(one), step))) {
      this._replaceAfter(step, titleFor(before));
      // No step waits for itself.
      const joined = [...before.cell_ids, ...step.cell_ids];
      this._replaceAfter(before, null, one => joined.includes(one.id));
    }
  }

  /** Take a cell out of the steps. A step that goes on after it begins with its next cell. */
  mark(id: string, role: Role): void {
    const cell = this._cell(id);
    if (cell?.type !== 'code') {
      return;
    }
    const next = this._cell(this._nextInStep(id));
    const title = titleOf(cell);
    if (next && title) {
      const settings = cell.fairlead;
      if (!titleOf(next)) {
        this._entitle(next, title, settings.step === undefined ? 'tags' : 'metadata');
      }
      next.tags.push(...cell.tags.filter(tag => AFTER_TAG.test(tag) && !next.tags.includes(tag)));
      next.fairlead = { ...settings, ...next.fairlead };
      cell.fairlead = {};
    }
    this._untitle(cell);
    cell.tags = cell.tags.filter(tag => !ROLES.includes(tag) && !AFTER_TAG.test(tag));
    cell.tags.push(role);
  }

  private _cell(id: string): IStepCell | undefined {
    return this._cells.find(cell => cell.id === id);
  }

  private _cellsOf(step: IStep): IStepCell[] {
    return this._cells.filter(cell => step.cell_ids.includes(cell.id));
  }

  private _first(step: IStep): IStepCell | undefined {
    return this._cell(step.cell_ids[0]);
  }

  private _nextInStep(id: string): string {
    const step = this.stepOf(id);
    return step?.cell_ids[0] === id ? (step.cell_ids[1] ?? '') : '';
  }

  /** Whether a cell begins a step, or is marked as part of none. */
  private _begins(cell: IStepCell): boolean {
    const marked = cell.tags.some(tag => ROLES.includes(tag));
    return marked || titleOf(cell) !== '' || this.stepOf(cell.id)?.cell_ids[0] === cell.id;
  }

  /** The step of the nearest cell before. */
  private _before(id: string): IStep | null {
    const place = this._cells.findIndex(cell => cell.id === id);
    for (const cell of this._cells.slice(0, Math.max(place, 0)).reverse()) {
      const step = this.stepOf(cell.id);
      if (step) {
        return step;
      }
    }
    return null;
  }

  private _names(text: string, step: IStep): boolean {
    return text !== '' && (text === step.title || slug(text) === step.name);
  }

  private _byTags(): boolean {
    return this._cells.some(cell => cell.type === 'code' && titleOf(cell) !== '');
  }

  /** How this notebook names steps. */
  private _form(): 'tags' | 'metadata' {
    const tags = this._cells.some(cell => cell.tags.some(tag => STEP_TAG.test(tag)));
    return !tags && this._cells.some(cell => cell.fairlead.step !== undefined) ? 'metadata' : 'tags';
  }

  private _entitle(cell: IStepCell, title: string, form = this._form()): void {
    const place = cell.tags.findIndex(tag => STEP_TAG.test(tag));
    const word = wordOf([cell, ...this._cells], STEP_TAG, 'step');
    const own = cell.fairlead.step !== undefined;
    if (own || (place < 0 && form === 'metadata')) {
      cell.fairlead.step = title;
    }
    if (place >= 0) {
      cell.tags[place] = `${word}:${title}`;
    } else if (!own && form === 'tags') {
      cell.tags.push(`${word}:${title}`);
    }
  }

  private _untitle(cell: IStepCell): void {
    cell.tags = cell.tags.filter(tag => !STEP_TAG.test(tag));
    delete cell.fairlead.step;
  }

  /** Where headings name the steps: tag them as they are, since the first tag ends the rule of headings. */
  private _pin(): void {
    if (this._byTags() || !this._steps.some(step => this._headingOf(step))) {
      return;
    }
    for (const step of this._steps) {
      const first = this._first(step);
      const shared = this._steps.some(one => one !== step && one.title === step.title);
      if (first) {
        this._entitle(first, shared ? step.name : step.title, 'tags');
      }
    }
  }

  /** The heading that begins a step. */
  private _headingOf(step: IStep): { cell: IStepCell; line: number } | null {
    const place = this._cells.findIndex(cell => cell.id === step.cell_ids[0]);
    for (const cell of this._cells.slice(0, Math.max(place, 0)).reverse()) {
      if (cell.type === 'code' && this.stepOf(cell.id)) {
        return null;
      }
      const heading = cell.type === 'markdown' ? lastHeading(cell.source) : null;
      if (heading) {
        return heading.text === step.title ? { cell, line: heading.line } : null;
      }
    }
    return null;
  }

  /** Write another title wherever cells wait for a step; with null they no longer do. */
  private _replaceAfter(step: IStep, title: string | null, where = (_: IStepCell): boolean => true): void {
    const kept = (text: string): string[] =>
      !this._names(text, step) ? [text] : title === null ? [] : [title];
    for (const cell of this._cells.filter(where)) {
      const tags = cell.tags.flatMap(tag => {
        const [, word, text] = AFTER_TAG.exec(tag) ?? [];
        return word === undefined ? [tag] : kept(text).map(one => `${word}:${one}`);
      });
      cell.tags = [...new Set(tags)];
      const listed = afterList(cell);
      if (!listed.some(text => this._names(text, step))) {
        continue;
      }
      const texts = [...new Set(listed.flatMap(kept))];
      if (texts.length) {
        cell.fairlead.after = typeof cell.fairlead.after === 'string' ? texts[0] : texts;
      } else {
        delete cell.fairlead.after;
      }
    }
  }

  private readonly _cells: IStepCell[];
}
