/**
 * Walking the graph with the arrow keys. Pure.
 *
 * Along the edges one goes to what comes after or before, across them to the nearest neighbour of
 * the same rank. Into an open scope one goes from its own line, and out of it at its ends. Where
 * nothing leads on, the focus stays.
 */
import type { ILayout, IPlace, IPoint } from './layout';

export type WalkKey = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight' | 'Home' | 'End';

type Way = 'forward' | 'back' | 'before' | 'after';

const WAYS: Record<ILayout['direction'], Record<string, Way>> = {
  TB: { ArrowDown: 'forward', ArrowUp: 'back', ArrowLeft: 'before', ArrowRight: 'after' },
  LR: { ArrowRight: 'forward', ArrowLeft: 'back', ArrowUp: 'before', ArrowDown: 'after' }
};

/** Nodes in the order in which one reads the graph: by rank, then across; a scope before what is in it. */
export function readingOrder(layout: ILayout): string[] {
  const inside = new Map<string | null, [string, IPlace][]>();
  for (const [id, place] of layout.nodes) {
    const siblings = inside.get(place.parent);
    if (siblings) {
      siblings.push([id, place]);
    } else {
      inside.set(place.parent, [[id, place]]);
    }
  }
  const read = (parent: string | null): string[] =>
    (inside.get(parent) ?? [])
      .sort(([, a], [, b]) => along(layout, a) - along(layout, b) || across(layout, a) - across(layout, b))
      .flatMap(([id]) => [id, ...read(id)]);
  return read(null);
}

/** The node that `key` leads to from `id`; `id` itself at an end, null for another key. */
export function walk(layout: ILayout, id: string, key: string): string | null {
  if (key === 'Home' || key === 'End') {
    const order = readingOrder(layout);
    return (key === 'Home' ? order[0] : order[order.length - 1]) ?? null;
  }
  const way = WAYS[layout.direction][key];
  const here = layout.nodes.get(id);
  if (!way || !here) {
    return null;
  }
  switch (way) {
    case 'forward':
      return (here.open ? firstInside(layout, id) : null) ?? after(layout, id) ?? id;
    case 'back':
      return linked(layout, id, 'back') ?? here.parent ?? id;
    default:
      return beside(layout, id, way) ?? id;
  }
}

/** What comes after a node, or after the scope that it is the end of. */
function after(layout: ILayout, id: string): string | null {
  for (let at: string | null = id; at !== null; at = layout.nodes.get(at)?.parent ?? null) {
    const next = linked(layout, at, 'forward');
    if (next !== null) {
      return next;
    }
  }
  return null;
}

function linked(layout: ILayout, id: string, way: 'forward' | 'back'): string | null {
  const ids = layout.edges
    .filter(edge => (way === 'forward' ? edge.source : edge.target) === id)
    .map(edge => (way === 'forward' ? edge.target : edge.source));
  return nearest(layout, layout.nodes.get(id)!, ids);
}

function firstInside(layout: ILayout, id: string): string | null {
  const [first = null] = [...layout.nodes]
    .filter(([, place]) => place.parent === id)
    .sort(([, a], [, b]) => along(layout, a) - along(layout, b) || across(layout, a) - across(layout, b))
    .map(([inside]) => inside);
  return first;
}

function beside(layout: ILayout, id: string, way: 'before' | 'after'): string | null {
  const here = layout.nodes.get(id)!;
  const ids = [...layout.nodes]
    .filter(([, place]) => {
      const step = across(layout, place) - across(layout, here);
      const sameRow = Math.abs(along(layout, place) - along(layout, here)) < 1;
      return place.parent === here.parent && sameRow && (way === 'after' ? step > 0 : step < 0);
    })
    .map(([other]) => other);
  return nearest(layout, here, ids);
}

function nearest(layout: ILayout, here: IPoint, ids: readonly string[]): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const id of ids) {
    const point = layout.nodes.get(id);
    const distance = point ? Math.hypot(point.x - here.x, point.y - here.y) : Infinity;
    if (distance < least) {
      least = distance;
      best = id;
    }
  }
  return best;
}

const along = (layout: ILayout, point: IPoint): number => (layout.direction === 'TB' ? point.y : point.x);
const across = (layout: ILayout, point: IPoint): number => (layout.direction === 'TB' ? point.x : point.y);
