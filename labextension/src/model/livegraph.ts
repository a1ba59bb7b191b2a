/**
 * The steps of an open notebook as a graph. Pure.
 */
import type { IAnalysis } from '../api/types';
import { COLORS } from './chips';

export interface ILiveNode {
  id: string;
  name: string;
  state: string;
  color: number;
  errors: number;
  writes: string[];
}

export interface ILiveGraph {
  nodes: ILiveNode[];
  edges: { source: string; target: string; names: string[] }[];
}

export function liveGraph({ steps, problems }: IAnalysis): ILiveGraph {
  const byName = new Map(steps.map(step => [step.name, step]));
  return {
    nodes: steps.map(step => ({
      id: step.name,
      name: step.name,
      state: '',
      color: ((step.color_index % COLORS) + COLORS) % COLORS,
      errors: problems.filter(one => one.severity === 'error' && step.cell_ids.includes(one.cell_id ?? ''))
        .length,
      writes: step.writes
    })),
    edges: steps.flatMap(step =>
      step.depends_on.flatMap(source => {
        const from = byName.get(source);
        const names = from?.writes.filter(name => step.reads.includes(name)) ?? [];
        return from ? [{ source, target: step.name, names }] : [];
      })
    )
  };
}
