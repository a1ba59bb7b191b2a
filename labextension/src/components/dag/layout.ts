/**
 * Where the nodes stand and the edges run. Pure.
 *
 * Edges are within one scope, so each open scope is placed by itself, and then stands as one large node
 * in the scope around it.
 */
import type { IShownGraph } from './fold';
import { IPoint, ISize, place, Placer } from './place';
import type { DagDirection, IDagEdge, IDagGraph } from './types';

export type { IPoint };

export const NODE_WIDTH = 196;
export const NODE_HEIGHT = 50;
/** Around everything. */
const MARGIN = 16;
/** Of an open scope: the room of its own line, and around what is in it. */
export const SCOPE_HEAD = NODE_HEIGHT;
export const SCOPE_PADDING = 14;
/** Room for a name and the choice of an iteration. */
const SCOPE_WIDTH = 280;

/** A node: its centre and size, of an open scope with all that is in it. */
export interface IPlace extends IPoint, ISize {
  /** The open scope around it. */
  parent: string | null;
  open: boolean;
}

export interface IPlacedEdge extends IDagEdge {
  /** From row to row: each piece bends between its ends. */
  pieces: readonly (readonly [from: IPoint, to: IPoint])[];
  /** The rectangle that it is in: left, top, right, bottom. */
  box: readonly [number, number, number, number];
}

export interface ILayout extends ISize {
  direction: DagDirection;
  /** By node id; scopes before what is in them. */
  nodes: Map<string, IPlace>;
  edges: IPlacedEdge[];
}

/** A graph in which nothing is a scope, as a shown one. */
type Layable = IDagGraph | IShownGraph;

/** Edges between two different nodes that exist, each pair once. */
export function soundEdges(graph: Layable): IDagEdge[] {
  const known = new Set(graph.nodes.map(node => node.id));
  const pairs = new Map<string, IDagEdge>();
  for (const edge of graph.edges) {
    if (known.has(edge.source) && known.has(edge.target) && edge.source !== edge.target) {
      const pair = JSON.stringify([edge.source, edge.target]);
      const names = [...(pairs.get(pair)?.names ?? []), ...(edge.names ?? [])];
      pairs.set(pair, { source: edge.source, target: edge.target, names });
    }
  }
  return [...pairs.values()];
}

/** Equal for graphs that have the same layout. */
export function shapeOf(graph: Layable): string {
  const pairs = soundEdges(graph).map(edge => [edge.source, edge.target]);
  const nodes = graph.nodes.map(node => [node.id, node.parent ?? null, isOpen(node)]);
  return JSON.stringify([nodes, pairs]);
}

/** Place every node and edge. An empty graph has no size. */
export function layOut(graph: Layable, direction: DagDirection, placeMany?: Placer): ILayout {
  const nodes = new Map<string, IPlace>();
  const edges: IPlacedEdge[] = [];
  if (graph.nodes.length === 0) {
    return { width: 0, height: 0, direction, nodes, edges };
  }
  const scopes = scopesOf(graph);
  const put = (scope: IPlacedScope, left: number, top: number, parent: string | null): void => {
    for (const { edge, stops } of scope.edges) {
      edges.push(placedEdge(edge, moved(stops, left, top), direction));
    }
    for (const [id, one] of scope.nodes) {
      const { width, height, inside } = one;
      const [x, y] = [one.x + left, one.y + top];
      nodes.set(id, { x, y, width, height, parent, open: inside !== null });
      if (inside) {
        put(inside, x - inside.width / 2, y - height / 2 + SCOPE_HEAD, id);
      }
    }
  };
  const top = placeScope('', { scopes, direction, placeMany });
  put(top, MARGIN, MARGIN, null);
  return { width: top.width + 2 * MARGIN, height: top.height + 2 * MARGIN, direction, nodes, edges };
}

interface IScope {
  nodes: { id: string; open: boolean }[];
  edges: IDagEdge[];
}

/** Where an edge passes, and half of what stands there, along the edges' direction. */
interface IStop extends IPoint {
  half: number;
}

interface IPlacedScope extends ISize {
  nodes: Map<string, IPoint & ISize & { inside: IPlacedScope | null }>;
  edges: { edge: IDagEdge; stops: IStop[] }[];
}

/** Nodes and edges by the scope that they are in, `''` at the top. */
function scopesOf(graph: Layable): Map<string, IScope> {
  const scopes = new Map<string, IScope>([['', { nodes: [], edges: [] }]]);
  const drawn = new Set(graph.nodes.map(node => node.id));
  const parents = new Map<string, string>();
  for (const node of graph.nodes) {
    const parent = node.parent && drawn.has(node.parent) ? node.parent : '';
    const open = isOpen(node);
    parents.set(node.id, parent);
    scopes.get(parent)?.nodes.push({ id: node.id, open });
    if (open) {
      scopes.set(node.id, { nodes: [], edges: [] });
    }
  }
  for (const edge of soundEdges(graph)) {
    const parent = parents.get(edge.source);
    if (parent !== undefined && parent === parents.get(edge.target)) {
      scopes.get(parent)?.edges.push(edge);
    }
  }
  return scopes;
}

interface IPlan {
  scopes: ReadonlyMap<string, IScope>;
  direction: DagDirection;
  placeMany?: Placer;
}

function placeScope(name: string, plan: IPlan): IPlacedScope {
  const { scopes, direction } = plan;
  const scope = scopes.get(name)!;
  const insides = new Map<string, IPlacedScope>();
  const sizes = new Map<string, ISize>();
  for (const { id, open } of scope.nodes) {
    const inside = open ? placeScope(id, plan) : null;
    if (inside) {
      insides.set(id, inside);
    }
    sizes.set(id, {
      width: inside ? Math.max(SCOPE_WIDTH, inside.width + 2 * SCOPE_PADDING) : NODE_WIDTH,
      height: inside ? inside.height + SCOPE_HEAD + SCOPE_PADDING : NODE_HEIGHT
    });
  }
  const { width, height, nodes, passed } = place(sizes, scope.edges, direction, plan.placeMany);
  const rows = rowsOf(nodes, sizes, direction);
  const stop = (id: string): IStop => ({ ...nodes.get(id)!, half: along(sizes.get(id)!, direction) / 2 });
  return {
    width,
    height,
    nodes: new Map(
      scope.nodes.map(({ id }) => [
        id,
        { ...nodes.get(id)!, ...sizes.get(id)!, inside: insides.get(id) ?? null }
      ])
    ),
    edges: scope.edges.map((edge, index) => ({
      edge,
      stops: [
        stop(edge.source),
        ...passed[index].flatMap(point => {
          const half = rows.get(round(direction === 'TB' ? point.y : point.x));
          return half === undefined ? [] : [{ ...point, half }];
        }),
        stop(edge.target)
      ]
    }))
  };
}

/** Half of the largest node of each row, by where the row is. */
function rowsOf(
  nodes: ReadonlyMap<string, IPoint>,
  sizes: ReadonlyMap<string, ISize>,
  direction: DagDirection
): Map<number, number> {
  const rows = new Map<number, number>();
  for (const [id, point] of nodes) {
    const row = round(direction === 'TB' ? point.y : point.x);
    rows.set(row, Math.max(rows.get(row) ?? 0, along(sizes.get(id)!, direction) / 2));
  }
  return rows;
}

/** What an edge is drawn with: a canvas' path, or the text of an SVG one. */
export interface IPen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  bezierCurveTo(x1: number, y1: number, x2: number, y2: number, x: number, y: number): void;
}

/**
 * Draw an edge from its source to its target. It passes the rows between straight, at the points that were
 * kept free for it, and bends in the gaps between the rows.
 */
export function trace(edge: IPlacedEdge, direction: DagDirection, pen: IPen): void {
  edge.pieces.forEach(([from, to], index) => {
    if (index === 0) {
      pen.moveTo(from.x, from.y);
    } else {
      pen.lineTo(from.x, from.y);
    }
    const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
    if (direction === 'TB') {
      pen.bezierCurveTo(from.x, y, to.x, y, to.x, to.y);
    } else {
      pen.bezierCurveTo(x, from.y, x, to.y, to.x, to.y);
    }
  });
}

function placedEdge(edge: IDagEdge, stops: readonly IStop[], direction: DagDirection): IPlacedEdge {
  const down = direction === 'TB';
  const before = ({ x, y, half }: IStop): IPoint => (down ? { x, y: y - half } : { x: x - half, y });
  const behind = ({ x, y, half }: IStop): IPoint => (down ? { x, y: y + half } : { x: x + half, y });
  const pieces = stops.slice(1).map((stop, index) => [behind(stops[index]), before(stop)] as const);
  const [xs, ys] = [stops.map(stop => stop.x), stops.map(stop => stop.y)];
  return { ...edge, pieces, box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
}

const moved = (stops: readonly IStop[], dx: number, dy: number): IStop[] =>
  stops.map(({ x, y, half }) => ({ x: x + dx, y: y + dy, half }));
const isOpen = (node: Layable['nodes'][number]): boolean => 'scope' in node && node.scope === 'open';
const along = (size: ISize, direction: DagDirection): number =>
  direction === 'TB' ? size.height : size.width;
const round = (value: number): number => Math.round(value * 10) / 10;
