/**
 * The graph around an artifact. Pure.
 */
import type { IDagGraph } from '../dag/types';

export interface ILineageNode {
  id: string;
  /** Id of the artifact or of the task. */
  ref: string;
  kind: 'artifact' | 'task';
  name: string;
  type: string;
  state: string;
  run_id: string;
  run_name: string;
}

export interface ILineageGraph {
  nodes: ILineageNode[];
  edges: { source: string; target: string; names: string[] }[];
  more: boolean;
}

/** The graph as the DAG draws it: an artifact has its type in the place of a state. */
export function lineageDag(graph: ILineageGraph): IDagGraph {
  const runs = new Set(graph.nodes.filter(node => node.kind === 'task').map(node => node.run_id));
  const nodes = graph.nodes.map(({ id, kind, name, type, state, run_name }) =>
    kind === 'artifact'
      ? { id, name, state: type }
      : { id, name: runs.size > 1 ? `${name} · ${run_name}` : name, state }
  );
  return { nodes, edges: graph.edges };
}

/** The artifacts that led to one, and those that it led to; the nearest first. */
export function around(
  graph: ILineageGraph,
  artifact: string
): { sources: ILineageNode[]; uses: ILineageNode[] } {
  const nodes = new Map(graph.nodes.map(node => [node.id, node]));
  const walk = (from: 'source' | 'target', to: 'source' | 'target'): ILineageNode[] => {
    const seen = new Set([`artifact/${artifact}`]);
    const found: ILineageNode[] = [];
    for (const id of seen) {
      const node = nodes.get(id);
      if (node?.kind === 'artifact' && node.ref !== artifact) {
        found.push(node);
      }
      // A set that grows while it is walked: what is added is walked, too.
      graph.edges.filter(edge => edge[from] === id).forEach(edge => seen.add(edge[to]));
    }
    return found;
  };
  return { sources: walk('target', 'source'), uses: walk('source', 'target') };
}
