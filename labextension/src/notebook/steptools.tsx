/**
 * Fairlead's parts of Lab's property inspector: the graph of the notebook, and the settings of a step.
 */
import type { INotebookTools, INotebookTracker } from '@jupyterlab/notebook';
import { Collapser, ReactWidget } from '@jupyterlab/ui-components';
import type { JSONObject, JSONValue } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { IStep } from '../api/types';
import { renderDag } from '../components/dag/render';
import type { IDagHandle } from '../components/dag/types';
import type { ITrans } from '../components/text';
import { COLORS } from '../model/chips';
import { liveGraph } from '../model/livegraph';
import type { ISettingSchema } from '../model/settingsform';
import { settingsOf } from '../model/stepcells';
import { afterOf, nameTrouble, settingProblems } from '../model/stepform';
import type { NotebookReading, Readings } from './reading';
import { revealCell } from './reveal';
import { StepForm } from './stepform';
import { nameTroubleWords } from './stepwords';

export interface IStepToolOptions {
  tracker: INotebookTracker;
  readings: Readings;
  trans: ITrans;
}

/** Calls `onChange` when another notebook or cell is active, and when the steps were read anew. */
function follow({ tracker, readings }: IStepToolOptions, onChange: () => void): () => NotebookReading | null {
  let reading: NotebookReading | null = null;
  const onNotebook = (): void => {
    reading?.changed.disconnect(onChange);
    const panel = tracker.currentWidget;
    reading = panel && !panel.isDisposed ? readings.of(panel) : null;
    reading?.changed.connect(onChange);
    onChange();
  };
  tracker.currentChanged.connect(onNotebook);
  tracker.activeCellChanged.connect(onChange);
  onNotebook();
  return () => reading;
}

/** Unfold the section of the inspector that a tool is in. */
export function unfold(tool: Widget): void {
  for (let at: Widget | null = tool; at; at = at.parent) {
    if (at instanceof Collapser) {
      at.collapsed = false;
    }
  }
}

/** The graph of the notebook as it stands. */
export class PipelineTool extends Widget implements INotebookTools.ITool {
  constructor(private readonly options: IStepToolOptions) {
    super();
    this.addClass('fl-PipelineTool');
    this.addClass('fl-theme');
    this._reading = follow(options, () => this.update());
  }

  declare notebookTools: INotebookTools;

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onUpdateRequest(): void {
    if (!this.isVisible) {
      return;
    }
    const { trans, tracker } = this.options;
    const reading = this._reading();
    const graph = liveGraph(reading?.analysis ?? { steps: [], parameters: [], problems: [] });
    const nodes = graph.nodes.map(({ errors, writes, ...node }) => ({
      ...node,
      note: errors ? trans._n('%1 error', '%1 errors', errors) : writes.length ? `${writes.join(', ')} →` : ''
    }));
    this._dag ??= renderDag(
      this.node,
      { nodes: [], edges: [] },
      {
        wheel: 'modifier',
        trans,
        onSelect: name => void this._go(name),
        onOpen: name => void this._go(name).then(() => this._reading()?.panel.content.activate()),
        onLeave: () => this._reading()?.panel.content.activate()
      }
    );
    this._dag.update({ nodes, edges: graph.edges });
    const active = tracker.activeCell?.model.id;
    this._dag.select((active !== undefined && reading?.stepOf(active)?.name) || null);
  }

  protected override onBeforeDetach(message: Message): void {
    this._dag?.destroy();
    this._dag = null;
    super.onBeforeDetach(message);
  }

  private async _go(name: string): Promise<void> {
    const reading = this._reading();
    const cell = reading?.analysis.steps.find(step => step.name === name)?.cell_ids[0];
    if (reading && cell !== undefined) {
      await revealCell(reading.panel, cell, null);
    }
  }

  private readonly _reading: () => NotebookReading | null;
  private _dag: IDagHandle | null = null;
}

/** The settings of the step of the active cell. */
export class StepTool extends ReactWidget implements INotebookTools.ITool {
  constructor(
    private readonly options: IStepToolOptions & {
      /** Asked for once, when it is first needed. */
      schema: () => Promise<JSONObject>;
      /** Make a step of the active cell. */
      onMake: () => void;
    }
  ) {
    super();
    this.addClass('fl-StepTool');
    this.addClass('fl-theme');
    this._reading = follow(options, () => this.update());
  }

  declare notebookTools: INotebookTools;

  /** Bring the form into sight, with the focus in it. */
  async reveal(): Promise<void> {
    unfold(this);
    this.update();
    await this.renderPromise;
    this.node.scrollIntoView({ block: 'nearest' });
    this.node.querySelector<HTMLElement>('input, textarea, button')?.focus();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._load();
    this.update();
  }

  protected override render(): JSX.Element {
    const { trans, tracker } = this.options;
    const reading = this._reading();
    const cell = tracker.activeCell;
    const step = cell ? reading?.stepOf(cell.model.id) : null;
    if (!reading || !step) {
      return (
        <>
          <p className="fl-StepTool-none">{trans.__('The active cell is part of no step.')}</p>
          {cell?.model.type === 'code' && (
            <button
              type="button"
              className="fl-Link"
              data-fl-action="make-step"
              onClick={() => this.options.onMake()}
            >
              {trans.__('Make Step…')}
            </button>
          )}
        </>
      );
    }
    return (
      <div
        data-fl-step-settings={step.name}
        data-fl-color={((step.color_index % COLORS) + COLORS) % COLORS}
        role="group"
        aria-label={trans.__('Settings of step %1', step.name)}
      >
        <p className="fl-StepTool-name">{step.name}</p>
        {this._failure && <p className="fl-FormField-error">{this._failure}</p>}
        {this._schema && this._form(reading, step, this._schema)}
      </div>
    );
  }

  private _form(reading: NotebookReading, step: IStep, schema: ISettingSchema): JSX.Element {
    const { cells } = reading;
    const first = step.cell_ids[0];
    const after = afterOf(cells, step);
    const values = {
      step: step.title,
      ...(after.length ? { after } : {}),
      ...settingsOf(cells, step)
    };
    const problems = settingProblems(reading.analysis.problems, step);
    const messages = new Map(
      [...problems].map(([path, those]) => [
        path,
        those.map(({ message, hint }) => [message, hint].filter(Boolean).join(' '))
      ])
    );
    return (
      <StepForm
        // What is typed belongs to its step.
        key={`${reading.panel.id} ${first}`}
        schema={schema}
        values={values}
        messages={messages}
        readOnly={reading.isReadOnly}
        onChange={(key, value) => this._put(reading, first, key, value)}
        trans={this.options.trans}
      />
    );
  }

  private _put(reading: NotebookReading, cell: string, key: string, value: JSONValue | undefined): string {
    const step = reading.stepOf(cell);
    if (!step) {
      return '';
    }
    if (key === 'step') {
      const title = typeof value === 'string' ? value : '';
      const trouble = nameTrouble(title, reading.analysis.steps, step);
      if (trouble) {
        return nameTroubleWords(trouble, this.options.trans);
      }
      void reading.edit(edits => edits.rename(step, title));
    } else if (key === 'after') {
      void reading.edit(edits => edits.setAfter(step, (value ?? []) as string[]));
    } else {
      void reading.edit(edits => edits.set(step, key, value));
    }
    return '';
  }

  private _load(): void {
    if (this._schema || this._loading) {
      return;
    }
    this._loading = true;
    this.options
      .schema()
      .then(
        schema => {
          this._schema = schema;
          this._failure = '';
        },
        (error: unknown) => {
          const words = error instanceof Error ? error.message : String(error);
          this._failure = this.options.trans.__('The settings could not be asked for. %1', words);
        }
      )
      .finally(() => {
        this._loading = false;
        this.update();
      });
  }

  private readonly _reading: () => NotebookReading | null;
  private _schema: ISettingSchema | null = null;
  private _loading = false;
  private _failure = '';
}
