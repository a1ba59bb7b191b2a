/**
 * What stands over the cells of a notebook that can become a pipeline. Pure.
 */
import type { ICell, INotebookContent } from '@jupyterlab/nbformat';

import type { IAnalysis, INode, IProblem } from '../api/types';
import { STEP_TAG } from './stepcells';

export interface IStepChip {
  name: string;
  title: string;
  reads: string[];
  writes: string[];
  color: number;
  /** State of the step in the run last started from this notebook; null without one. */
  state: string | null;
  cached: boolean;
}

/** All that stands over one cell. */
export interface ICellMarks {
  step: IStepChip | null;
  problems: IProblem[];
}

/** Step colours are told apart by eight; further steps begin again. */
export const COLORS = 8;

/** Where Kale keeps what it knows of a notebook. */
const KALE = 'kubeflow_notebook';
const HEADING = /^\s{0,3}#{1,6}\s/m;

/** Whether a notebook is Python and says anything of steps: by tags, metadata or headings. */
export function mayHaveSteps(notebook: INotebookContent): boolean {
  const { kernelspec, language_info } = notebook.metadata;
  const language = language_info?.name ?? (kernelspec as { language?: string } | undefined)?.language;
  if (language !== undefined && language.toLowerCase() !== 'python') {
    return false;
  }
  return (
    notebook.metadata[KALE] !== undefined || notebook.cells.some(cell => isTagged(cell) || isHeading(cell))
  );
}

/** The notebook without outputs: what decides about steps, and nothing that is large. */
export function withoutOutputs(notebook: INotebookContent): INotebookContent {
  const cells = notebook.cells.map(cell =>
    cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell
  );
  return { ...notebook, cells };
}

/**
 * What to show, by the id of the cell. Problems that name no cell stand over the first step; without
 * a step, over the first cell.
 */
export function marksOf(
  analysis: IAnalysis,
  nodes: readonly INode[] = [],
  firstCell?: string
): Map<string, ICellMarks> {
  const marks = new Map<string, ICellMarks>();
  const at = (id: string): ICellMarks => {
    const found = marks.get(id) ?? { step: null, problems: [] };
    marks.set(id, found);
    return found;
  };
  for (const step of analysis.steps) {
    const first = step.cell_ids[0];
    if (first !== undefined) {
      const node = nodes.find(one => one.name === step.name || one.id === step.name);
      at(first).step = {
        name: step.name,
        title: step.title,
        reads: step.reads,
        writes: step.writes,
        color: ((step.color_index % COLORS) + COLORS) % COLORS,
        state: node?.state ?? null,
        cached: node?.cached ?? false
      };
    }
  }
  for (const problem of analysis.problems) {
    const id = problem.cell_id ?? analysis.steps[0]?.cell_ids[0] ?? firstCell;
    if (id !== undefined) {
      at(id).problems.push(problem);
    }
  }
  return marks;
}

function isTagged(cell: ICell): boolean {
  const { tags, fairlead } = cell.metadata as { tags?: unknown; fairlead?: { step?: unknown } };
  const named = Array.isArray(tags) && tags.some(tag => typeof tag === 'string' && STEP_TAG.test(tag));
  return named || fairlead?.step !== undefined;
}

function isHeading(cell: ICell): boolean {
  const source = Array.isArray(cell.source) ? cell.source.join('') : cell.source;
  return cell.cell_type === 'markdown' && HEADING.test(source);
}
