import { graph, MutGraph, SugiNode, sugiyama } from 'd3-dag';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { crossings, uncross } from '../src/components/dag/crossings';
import { layOut, NODE_HEIGHT, shapeOf } from '../src/components/dag/layout';
import { placeMany } from '../src/components/dag/placemany';
import { renderDag } from '../src/components/dag/render';
import type { IDagGraph, IDagHandle, IDagNode } from '../src/components/dag/types';
import { readingOrder, walk } from '../src/components/dag/walk';

const dagNode = (id: string, state = 'PENDING', more: Partial<IDagNode> = {}): IDagNode => ({
  id,
  name: id,
  state,
  ...more
});

/** load -> (a, b) -> join */
const diamond = (states: Record<string, string> = {}): IDagGraph => ({
  nodes: ['load', 'a', 'b', 'join'].map(id => dagNode(id, states[id])),
  edges: [
    { source: 'load', target: 'a', names: ['X'] },
    { source: 'load', target: 'b', names: ['X'] },
    { source: 'a', target: 'join' },
    { source: 'b', target: 'join' }
  ]
});

describe('layout', () => {
  test('an edge runs down and siblings share a row', () => {
    const { nodes } = layOut(diamond(), 'TB');
    const y = (id: string): number => nodes.get(id)!.y;
    expect(y('load') + NODE_HEIGHT).toBeLessThan(y('a'));
    expect(y('a')).toBe(y('b'));
    expect(y('a') + NODE_HEIGHT).toBeLessThan(y('join'));
  });

  test('from left to right an edge runs to the right', () => {
    const { nodes } = layOut(diamond(), 'LR');
    expect(nodes.get('load')!.x).toBeLessThan(nodes.get('a')!.x);
    expect(nodes.get('a')!.x).toBe(nodes.get('b')!.x);
  });

  test('an empty graph has no size', () => {
    expect(layOut({ nodes: [], edges: [] }, 'TB')).toEqual({
      width: 0,
      height: 0,
      direction: 'TB',
      nodes: new Map(),
      edges: []
    });
  });

  test('edges to nobody, to oneself and twice do not count', () => {
    const graph: IDagGraph = {
      nodes: [dagNode('a'), dagNode('b')],
      edges: [
        { source: 'a', target: 'b', names: ['x'] },
        { source: 'a', target: 'b', names: ['y'] },
        { source: 'a', target: 'a' },
        { source: 'a', target: 'ghost' }
      ]
    };
    const drawn = layOut(graph, 'TB').edges.map(({ source, target, names }) => ({ source, target, names }));
    expect(drawn).toEqual([{ source: 'a', target: 'b', names: ['x', 'y'] }]);
  });

  test('a cycle is laid out all the same', () => {
    const graph: IDagGraph = {
      nodes: [dagNode('a'), dagNode('b')],
      edges: [
        { source: 'a', target: 'b' },
        { source: 'b', target: 'a' }
      ]
    };
    expect(layOut(graph, 'TB').nodes.size).toBe(2);
  });

  test('a thousand nodes have a thousand places', () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `n${index}`);
    const edges = ids.slice(1).map((id, index) => ({ source: ids[Math.floor(index / 4)], target: id }));
    const { nodes } = layOut({ nodes: ids.map(id => dagNode(id)), edges }, 'TB', placeMany);
    expect(new Set([...nodes.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(1000);
  });

  test('crossings are counted once each, and few are left', () => {
    const graphOf = (seed: number): MutGraph<string, undefined> => {
      const made = graph<string, undefined>();
      const nodes = Array.from({ length: 40 }, (_, index) => made.node(`n${index}`));
      let random = seed;
      for (let index = 4; index < nodes.length; index += 1) {
        for (let edge = 0; edge < 2; edge += 1) {
          random = (random * 1103515245 + 12345) % 2 ** 31;
          made.link(nodes[Math.floor((random / 2 ** 31) * index)], nodes[index], undefined);
        }
      }
      return made;
    };
    type Row = SugiNode<string, undefined>[];
    const pairByPair = (rows: Row[]): number =>
      rows.slice(1).reduce((sum, lower, index) => {
        const ends = rows[index].flatMap((node, x) =>
          [...node.childCounts()].flatMap(([child, count]) =>
            Array.from({ length: count }, () => [x, lower.indexOf(child)])
          )
        );
        const crossed = ends.flatMap(([x, y]) => ends.filter(([u, v]) => x < u && y > v));
        return sum + crossed.length;
      }, 0);
    for (const seed of [1, 2, 3]) {
      let before = 0;
      sugiyama().decross((rows: Row[]) => {
        before = crossings(rows);
        uncross(rows);
        expect(crossings(rows)).toBe(pairByPair(rows));
        expect(crossings(rows)).toBeLessThan(before);
      })(graphOf(seed));
    }
  });

  test('the shape is of nodes and edges, not of states', () => {
    expect(shapeOf(diamond())).toBe(shapeOf(diamond({ a: 'RUNNING' })));
    const fewer = diamond();
    fewer.edges.pop();
    expect(shapeOf(diamond())).not.toBe(shapeOf(fewer));
  });
});

describe('walking', () => {
  const layout = layOut(diamond(), 'TB');
  const [left, right] = readingOrder(layout).slice(1, 3);

  test('down and up follow the edges, left and right the row', () => {
    expect(walk(layout, 'load', 'ArrowUp')).toBe('load');
    expect([left, right]).toContain(walk(layout, 'load', 'ArrowDown'));
    expect(walk(layout, left, 'ArrowRight')).toBe(right);
    expect(walk(layout, right, 'ArrowRight')).toBe(right);
    expect(walk(layout, left, 'ArrowDown')).toBe('join');
    expect(walk(layout, 'join', 'ArrowDown')).toBe('join');
  });

  test('the ends are a key away, and other keys lead nowhere', () => {
    expect(walk(layout, 'a', 'Home')).toBe('load');
    expect(walk(layout, 'a', 'End')).toBe('join');
    expect(walk(layout, 'a', 'x')).toBeNull();
  });
});

describe('the drawn graph', () => {
  let host: HTMLElement;
  let dag: IDagHandle;
  const onSelect = vi.fn();
  const onOpen = vi.fn();
  const onLeave = vi.fn();
  const drawn = (id: string): HTMLElement => host.querySelector<HTMLElement>(`[data-fl-node="${id}"]`)!;
  const press = (id: string, key: string): void => {
    drawn(id).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  };

  beforeEach(() => {
    vi.clearAllMocks();
    host = document.body.appendChild(document.createElement('div'));
    dag = renderDag(host, diamond({ load: 'SUCCEEDED', a: 'RUNNING' }), { onSelect, onOpen, onLeave });
  });

  afterEach(() => {
    dag.destroy();
    host.remove();
  });

  test('every node tells its name, state and place', () => {
    const labels = [...host.querySelectorAll('[data-fl-node]')].map(one => one.getAttribute('aria-label'));
    expect(labels).toEqual([
      'load, succeeded, 1 of 4',
      expect.stringMatching(/^a, running, [23] of 4$/),
      expect.stringMatching(/^b, pending, [23] of 4$/),
      'join, pending, 4 of 4'
    ]);
  });

  test('a newer state is patched in place, said aloud, and moves nothing', () => {
    const before = drawn('a');
    const place = before.style.cssText;
    dag.update(diamond({ load: 'SUCCEEDED', a: 'FAILED' }));
    expect(drawn('a')).toBe(before);
    expect(before.style.cssText).toBe(place);
    expect(before.dataset.flState).toBe('FAILED');
    expect(host.querySelector('[aria-live]')!.textContent).toBe('a failed');
  });

  test('another shape keeps the nodes that stay and drops those that went', () => {
    const before = drawn('load');
    dag.update({
      nodes: [dagNode('load'), dagNode('new')],
      edges: [{ source: 'load', target: 'new' }]
    });
    expect(drawn('load')).toBe(before);
    expect(
      [...host.querySelectorAll('[data-fl-node]')].map(one => (one as HTMLElement).dataset.flNode)
    ).toEqual(['load', 'new']);
    expect(host.querySelectorAll('.fl-Dag-edge').length).toBe(1);
  });

  test('one node is in the tab order, and arrows move it', () => {
    const stops = (): string[] =>
      [...host.querySelectorAll<HTMLElement>('.fl-Dag-node[tabindex="0"]')].map(one => one.dataset.flNode!);
    expect(stops()).toEqual(['load']);
    press('load', 'ArrowDown');
    const [reached] = stops();
    expect(['a', 'b']).toContain(reached);
    expect(document.activeElement).toBe(drawn(reached));
    expect(onSelect.mock.calls).toEqual([[reached]]);
    expect(drawn(reached).getAttribute('aria-pressed')).toBe('true');
  });

  test('Enter opens, Escape leaves', () => {
    press('join', 'Enter');
    expect(onOpen.mock.calls).toEqual([['join']]);
    drawn('join').focus();
    press('join', 'Escape');
    expect(onLeave).toHaveBeenCalledTimes(1);
    expect(document.activeElement).not.toBe(drawn('join'));
  });

  test('a click selects', () => {
    drawn('b').click();
    expect(onSelect.mock.calls).toEqual([['b']]);
  });

  test('a cached success has a mark of its own and no time', () => {
    const times = { started_at: '2026-01-01T00:00:00Z', finished_at: '2026-01-01T00:00:04Z' };
    dag.update({
      nodes: [dagNode('x', 'SUCCEEDED', { ...times, cached: true }), dagNode('y', 'SUCCEEDED', times)],
      edges: []
    });
    expect(drawn('x').dataset.flState).toBe('CACHED');
    expect(drawn('x').textContent).toBe('xCached');
    expect(drawn('y').textContent).toBe('ySucceeded4.0 s');
  });

  test('a state that nobody knows is shown by its word', () => {
    dag.update({ nodes: [dagNode('x', 'PAUSED')], edges: [] });
    expect(drawn('x').dataset.flState).toBe('UNKNOWN');
    expect(drawn('x').textContent).toBe('xPAUSED');
  });

  test('names stay text', () => {
    dag.update({ nodes: [dagNode('<img src=x onerror=alert(1)>')], edges: [] });
    expect(host.querySelector('img')).toBeNull();
  });

  test('an empty graph says so', () => {
    dag.update({ nodes: [], edges: [] });
    expect(host.querySelector<HTMLElement>('.fl-Dag-empty')!.hidden).toBe(false);
    expect(host.querySelector('[role=application]')!.getAttribute('aria-label')).toBe(
      'Pipeline graph, 0 steps'
    );
  });
});
