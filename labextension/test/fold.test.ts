import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { fold, Folds, unfoldTo } from '../src/components/dag/fold';
import { layOut } from '../src/components/dag/layout';
import { conditionText } from '../src/components/dag/nodes';
import { placeMany } from '../src/components/dag/placemany';
import { renderDag } from '../src/components/dag/render';
import type { IDagGraph, IDagHandle, IDagNode } from '../src/components/dag/types';
import { readingOrder, walk } from '../src/components/dag/walk';

const dagNode = (id: string, parent: string | null, type: string, state: string): IDagNode => ({
  id,
  name: id.slice(id.lastIndexOf('.') + 1),
  parent,
  type,
  state
});

/** make -> loop of two over [work -> check], and beside it a branch that is not taken. */
function scoped(second = 'RUNNING'): IDagGraph {
  const nodes = [
    dagNode('make', null, 'RUNTIME', 'SUCCEEDED'),
    { ...dagNode('loop', null, 'LOOP', 'RUNNING'), iterations: 2 },
    ...[0, 1].flatMap(index => [
      { ...dagNode(`loop.${index}`, 'loop', 'DAG', index ? second : 'SUCCEEDED'), iteration: index },
      dagNode(`loop.${index}.work`, `loop.${index}`, 'RUNTIME', 'SUCCEEDED'),
      dagNode(`loop.${index}.check`, `loop.${index}`, 'RUNTIME', index ? second : 'CACHED')
    ]),
    { ...dagNode('if', null, 'CONDITION', 'SKIPPED'), condition: 'n > 1' },
    dagNode('if.then', 'if', 'RUNTIME', 'PENDING')
  ];
  const edges = [
    ['make', 'loop'],
    ['make', 'if'],
    ['loop.0.work', 'loop.0.check'],
    ['loop.1.work', 'loop.1.check']
  ].map(([source, target]) => ({ source, target }));
  return { nodes, edges };
}

const ids = (graph: { nodes: readonly IDagNode[] }): string[] => graph.nodes.map(node => node.id);

describe('folding', () => {
  test('loops are folded at first and branches are not', () => {
    const shown = fold(scoped(), new Folds());
    expect(ids(shown)).toEqual(['make', 'loop', 'if', 'if.then']);
    expect(shown.edges.length).toBe(2);
    expect(shown.shownAs.get('loop.1.check')).toBe('loop');
  });

  test('a folded scope tells how many of its steps are done and the worst of their states', () => {
    const loop = fold(scoped('FAILED'), new Folds()).nodes[1];
    expect([loop.scope, loop.state, loop.done, loop.total]).toEqual(['folded', 'FAILED', 3, 4]);
  });

  test('what is in a branch that was not taken is skipped and not waited for', () => {
    const [, , branch, then] = fold(scoped(), new Folds()).nodes;
    expect([branch.state, branch.total]).toEqual(['SKIPPED', 0]);
    expect(then.state).toBe('SKIPPED');
  });

  test('an open loop shows the iteration that runs, or the one that is chosen', () => {
    const folds = new Folds();
    folds.setOpen('loop', true);
    const shown = fold(scoped(), folds);
    expect(ids(shown).slice(1, 4)).toEqual(['loop', 'loop.1.work', 'loop.1.check']);
    expect(shown.nodes[2].parent).toBe('loop');
    expect([shown.nodes[1].chosen, shown.nodes[1].choices.length]).toEqual(['loop.1', 2]);
    folds.choose('loop', 'loop.0');
    expect(ids(fold(scoped(), folds))).toContain('loop.0.check');
  });

  test('what is looked for is unfolded in its own iteration', () => {
    const folds = new Folds();
    unfoldTo(scoped(), 'loop.0.check', folds);
    expect(ids(fold(scoped(), folds))).toContain('loop.0.check');
  });

  test('nodes that name each other as scope are not shown, and nothing hangs', () => {
    const nodes = [dagNode('a', 'b', 'DAG', 'RUNNING'), dagNode('b', 'a', 'DAG', 'RUNNING')];
    expect(fold({ nodes, edges: [] }, new Folds()).nodes).toEqual([]);
    unfoldTo({ nodes, edges: [] }, 'a', new Folds());
  });

  test('a condition is told without the words of the compiler', () => {
    const raw = "int(inputs.parameter_values['pipelinechannel--random-num-Output']) > 5";
    expect(conditionText(raw)).toBe('int(random-num-Output) > 5');
  });
});

describe('an open scope', () => {
  const folds = new Folds();
  folds.setOpen('loop', true);
  const layout = layOut(fold(scoped(), folds), 'TB');

  test('holds what is in it', () => {
    const [loop, work] = [layout.nodes.get('loop')!, layout.nodes.get('loop.1.work')!];
    for (const [at, size] of [
      ['x', 'width'],
      ['y', 'height']
    ] as const) {
      expect(work[at] - work[size] / 2).toBeGreaterThanOrEqual(loop[at] - loop[size] / 2);
      expect(work[at] + work[size] / 2).toBeLessThanOrEqual(loop[at] + loop[size] / 2);
    }
  });

  test('is walked into and out of with the arrows', () => {
    expect(walk(layout, 'loop', 'ArrowDown')).toBe('loop.1.work');
    expect(walk(layout, 'loop.1.work', 'ArrowDown')).toBe('loop.1.check');
    expect(walk(layout, 'loop.1.check', 'ArrowDown')).toBe('loop.1.check');
    expect(walk(layout, 'loop.1.work', 'ArrowUp')).toBe('loop');
    expect(readingOrder(layout)[0]).toBe('make');
  });
});

describe('the drawn graph', () => {
  let host: HTMLElement;
  let dag: IDagHandle;
  const onSelect = vi.fn();
  const drawn = (id: string): HTMLElement => host.querySelector<HTMLElement>(`[data-fl-node="${id}"]`)!;
  const press = (target: Element, key: string): void => {
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  };

  beforeEach(() => {
    vi.clearAllMocks();
    host = document.body.appendChild(document.createElement('div'));
    dag = renderDag(host, scoped(), { onSelect, search: true });
  });
  afterEach(() => {
    dag.destroy();
    host.remove();
  });

  test('a scope says aloud what it is, how far, and whether it is folded', () => {
    expect(drawn('loop').getAttribute('aria-label')).toMatch(
      /^loop, loop, 2 iterations, running, 3 of 4 steps done, \d of 4$/
    );
    expect(drawn('loop').getAttribute('aria-expanded')).toBe('false');
    expect(drawn('make').hasAttribute('aria-expanded')).toBe(false);
    expect(drawn('if').getAttribute('aria-label')).toContain('branch, n > 1, skipped');
  });

  test('Space and the caret fold and unfold', () => {
    press(drawn('loop'), ' ');
    expect(drawn('loop').getAttribute('aria-expanded')).toBe('true');
    expect(drawn('loop.1.work')).not.toBeNull();
    expect(host.querySelector('[aria-live]')!.textContent).toBe('loop unfolded');
    drawn('loop').querySelector<HTMLElement>('[data-fl-fold-toggle]')!.click();
    expect(drawn('loop.1.work')).toBeNull();
  });

  test('an iteration is chosen from a list', () => {
    press(drawn('loop'), '+');
    const list = host.querySelector<HTMLSelectElement>('[data-fl-loop="loop"]')!;
    expect([...list.options].map(option => option.text)).toEqual(['0 ✓', '1 ◐']);
    list.value = 'loop.0';
    list.dispatchEvent(new Event('change', { bubbles: true }));
    expect(drawn('loop.0.check')).not.toBeNull();
    expect(onSelect.mock.calls).toEqual([['loop.0']]);
  });

  test('a step in a folded scope is selected through the scope', () => {
    dag.select('loop.1.check');
    expect(drawn('loop').getAttribute('aria-pressed')).toBe('true');
  });

  test('the search finds steps in folded scopes and goes from one to the next', () => {
    const field = host.querySelector<HTMLInputElement>('[data-fl-dag-search]')!;
    field.value = 'check';
    field.dispatchEvent(new Event('input'));
    expect(host.querySelector('.fl-Dag-searchCount')!.textContent).toBe('2');
    press(field, 'Enter');
    expect(drawn('loop.0.check').classList.contains('fl-mod-found')).toBe(true);
    expect(host.querySelector('.fl-Dag-searchCount')!.textContent).toBe('1 of 2');
    press(field, 'Enter');
    expect(onSelect.mock.calls).toEqual([['loop.0.check'], ['loop.1.check']]);
    press(field, 'Escape');
    expect(host.querySelector('.fl-mod-found')).toBeNull();
  });

  test('of a thousand steps only those in sight are drawn, and the focused one', () => {
    const nodes = Array.from({ length: 1000 }, (_, index) =>
      dagNode(`n${index}`, null, 'RUNTIME', 'PENDING')
    );
    const edges = nodes
      .slice(1)
      .map((node, index) => ({ source: `n${Math.floor(index / 4)}`, target: node.id }));
    dag.destroy();
    dag = renderDag(host, { nodes, edges }, { placeMany });
    expect(host.querySelectorAll('.fl-Dag-node').length).toBe(150);
    dag.reveal('n999');
    dag.select('n999');
    dag.focus();
    expect(document.activeElement).toBe(drawn('n999'));
    expect(drawn('n999').getAttribute('aria-label')).toMatch(/of 1000$/);
  });

  test('a large graph is far away only a picture, in which one can choose all the same', async () => {
    const size = vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(600);
    const height = vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(400);
    const canvas = vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
    const nodes = Array.from({ length: 300 }, (_, index) => dagNode(`n${index}`, null, 'RUNTIME', 'PENDING'));
    const edges = nodes.slice(1).map((node, index) => ({ source: `n${index}`, target: node.id }));
    dag.destroy();
    const onSelect = vi.fn();
    dag = renderDag(host, { nodes, edges }, { placeMany, onSelect });
    const count = (): number => host.querySelectorAll('.fl-Dag-node').length;
    // Frame by frame, those that can be read.
    await vi.waitFor(() => expect(count()).toBeGreaterThan(5));
    expect(count()).toBeLessThan(40);
    dag.fit();
    expect(count()).toBe(1);
    const viewport = host.querySelector('.fl-Dag-viewport')!;
    viewport.dispatchEvent(new MouseEvent('click', { clientX: 300, clientY: 200 }));
    expect(onSelect).toHaveBeenCalledTimes(1);
    expect(host.querySelector("[aria-pressed='true']")).not.toBeNull();
    [size, height, canvas].forEach(mock => mock.mockRestore());
  });
});
