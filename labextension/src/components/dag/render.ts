/**
 * The DAG: nodes as HTML over edges as SVG, in a world that can be moved and scaled.
 */
import { element, setAttribute, setText } from '../dom';
import { isActive } from '../states';
import { plainTrans } from '../text';
import { everySecond } from '../ticker';
import { announcement } from './announce';
import { Camera } from './camera';
import { drawEdges, markEdges } from './edges';
import { ILayout, layOut, NODE_HEIGHT, NODE_WIDTH, shapeOf } from './layout';
import { createNode, patchNode, patchTime } from './nodes';
import { dagTools } from './tools';
import type { IDagGraph, IDagHandle, IDagNode, IDagOptions } from './types';
import { readingOrder, walk } from './walk';

/** Draw `graph` into `host`, which gives it its size. */
export function renderDag(host: HTMLElement, graph: IDagGraph, options: IDagOptions = {}): IDagHandle {
  return new Dag(host, graph, options);
}

class Dag implements IDagHandle {
  constructor(
    host: HTMLElement,
    graph: IDagGraph,
    private readonly options: IDagOptions
  ) {
    const trans = this._trans;
    this._selected = options.selected ?? null;
    this._viewport.setAttribute('aria-roledescription', trans.__('graph'));
    this._viewport.append(this._world);
    this._world.append(this._edges);
    this._camera = new Camera(this._viewport, this._world, options.wheel ?? 'zoom');
    this._root.append(this._viewport, dagTools(this._camera, trans), this._empty, this._live);
    setText(this._empty, trans.__('No steps yet.'));
    this._world.addEventListener('click', this._onClick);
    this._world.addEventListener('dblclick', this._onDoubleClick);
    this._world.addEventListener('keydown', this._onKeyDown);
    host.append(this._root);
    this.update(graph);
  }

  get size(): { width: number; height: number } {
    return { width: this._layout?.width ?? 0, height: this._layout?.height ?? 0 };
  }

  update(graph: IDagGraph): void {
    const shape = shapeOf(graph);
    const spoken = announcement([...this._nodes.values()], graph.nodes, this._trans);
    this._nodes = new Map(graph.nodes.map(node => [node.id, node]));
    if (shape !== this._shape) {
      this._shape = shape;
      this._place(layOut(graph, this.options.direction ?? 'TB'));
    }
    this._order.forEach((id, index) => {
      const target = this._elements.get(id);
      const node = this._nodes.get(id);
      if (target && node) {
        patchNode(target, node, index + 1, this._order.length, this._trans);
      }
    });
    if (spoken) {
      setText(this._live, spoken);
    }
    const label = this._trans._n('Pipeline graph, %1 step', 'Pipeline graph, %1 steps', graph.nodes.length);
    setAttribute(this._viewport, 'aria-label', label);
    this._mark();
    this._watchClock(graph.nodes.some(node => isActive(node.state) && node.started_at));
  }

  select(id: string | null): void {
    this._selected = id;
    this._mark();
  }

  fit(): void {
    this._camera.fit();
  }

  focus(): void {
    this._focusNode(this._tabStop());
  }

  destroy(): void {
    this._stopClock?.();
    this._camera.dispose();
    this._root.remove();
  }

  private _place(layout: ILayout): void {
    this._layout = layout;
    this._order = readingOrder(layout);
    for (const [id, gone] of this._elements) {
      if (!layout.nodes.has(id)) {
        gone.remove();
        this._elements.delete(id);
      }
    }
    const added = document.createDocumentFragment();
    for (const id of this._order) {
      const point = layout.nodes.get(id)!;
      let target = this._elements.get(id);
      if (!target) {
        target = createNode();
        this._elements.set(id, target);
        added.append(target);
      }
      target.style.left = `${point.x - NODE_WIDTH / 2}px`;
      target.style.top = `${point.y - NODE_HEIGHT / 2}px`;
    }
    this._world.append(added);
    this._world.style.width = `${layout.width}px`;
    this._world.style.height = `${layout.height}px`;
    drawEdges(this._edges, layout);
    this._empty.hidden = layout.nodes.size > 0;
    const focus = layout.nodes.get(this._tabStop() ?? '') ?? { x: 0, y: 0 };
    this._camera.setWorld(layout.width, layout.height, focus);
  }

  private _mark(): void {
    const stop = this._tabStop();
    for (const [id, target] of this._elements) {
      setAttribute(target, 'aria-pressed', String(id === this._selected));
      setAttribute(target, 'tabindex', id === stop ? '0' : '-1');
    }
    markEdges(this._edges, this._nodes, this._selected);
  }

  /** One node only is in the tab order: the selected one, else the first. */
  private _tabStop(): string | null {
    const selected = this._selected;
    return selected !== null && this._elements.has(selected) ? selected : (this._order[0] ?? null);
  }

  private _choose(id: string): void {
    if (id !== this._selected) {
      this.select(id);
      this.options.onSelect?.(id);
    }
  }

  private _focusNode(id: string | null): void {
    const target = id === null ? undefined : this._elements.get(id);
    const point = id === null ? undefined : this._layout?.nodes.get(id);
    if (target && point) {
      // The browser would scroll the viewport, which has its own way to move.
      target.focus({ preventScroll: true });
      const [left, top] = [point.x - NODE_WIDTH / 2, point.y - NODE_HEIGHT / 2];
      this._camera.reveal(left, top, NODE_WIDTH, NODE_HEIGHT);
    }
  }

  private _watchClock(growing: string | boolean | null | undefined): void {
    if (growing && !this._stopClock) {
      this._stopClock = everySecond(now => {
        for (const [id, node] of this._nodes) {
          const target = this._elements.get(id);
          if (target && isActive(node.state)) {
            patchTime(target, node, now);
          }
        }
      });
    } else if (!growing) {
      this._stopClock?.();
      this._stopClock = null;
    }
  }

  private _idAt(event: Event): string | null {
    const target = event.target as Element | null;
    return target?.closest<HTMLElement>('.fl-Dag-node')?.dataset.flNode ?? null;
  }

  private readonly _onClick = (event: MouseEvent): void => {
    const id = this._idAt(event);
    if (id !== null && !this._viewport.classList.contains('fl-mod-panning')) {
      this._choose(id);
    }
  };

  private readonly _onDoubleClick = (event: MouseEvent): void => {
    const id = this._idAt(event);
    if (id !== null) {
      this.options.onOpen?.(id);
    }
  };

  private readonly _onKeyDown = (event: KeyboardEvent): void => {
    const id = this._idAt(event);
    if (id === null || event.ctrlKey || event.metaKey || event.altKey || !this._layout) {
      return;
    }
    if (event.key === 'Enter' || event.key === ' ') {
      this._choose(id);
      this.options.onOpen?.(id);
    } else if (event.key === 'Escape') {
      this._elements.get(id)?.blur();
      this.options.onLeave?.();
    } else {
      const next = walk(this._layout, id, event.key);
      if (next === null) {
        return;
      }
      this._choose(next);
      this._focusNode(next);
    }
    event.preventDefault();
    event.stopPropagation();
  };

  private readonly _trans = this.options.trans ?? plainTrans;
  private readonly _root = element('div', 'fl-Dag', { 'data-fl-dag': '' });
  private readonly _viewport = element('div', 'fl-Dag-viewport', { role: 'application' });
  private readonly _world = element('div', 'fl-Dag-world');
  private readonly _edges = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  private readonly _empty = element('div', 'fl-Dag-empty');
  private readonly _live = element('div', 'fl-visuallyHidden', { 'aria-live': 'polite' });
  private readonly _camera: Camera;
  private readonly _elements = new Map<string, HTMLElement>();
  private _nodes = new Map<string, IDagNode>();
  private _order: string[] = [];
  private _layout: ILayout | null = null;
  private _shape = '';
  private _selected: string | null;
  private _stopClock: (() => void) | null = null;
}
