/**
 * The DAG: nodes as HTML over edges as SVG, in a world that can be moved and scaled.
 */
import { element, setAttribute, setText } from '../dom';
import { isActive } from '../states';
import { plainTrans } from '../text';
import { everySecond } from '../ticker';
import { announcement } from './announce';
import { fold, Folds, IShownGraph, IShownNode, unfoldTo } from './fold';
import { ILayout, layOut, SCOPE_HEAD, shapeOf } from './layout';
import { Scene } from './scene';
import { Search } from './search';
import { dagTools } from './tools';
import type { IDagGraph, IDagHandle, IDagOptions } from './types';
import { readingOrder, walk } from './walk';

/** In a larger graph nothing moves by itself. */
const MOST_MOVING = 60;
/** Draw `graph` into `host`, which gives it its size. */
export function renderDag(host: HTMLElement, graph: IDagGraph, options: IDagOptions = {}): IDagHandle {
  return new Dag(host, graph, options);
}

class Dag implements IDagHandle {
  constructor(
    host: HTMLElement,
    private _graph: IDagGraph,
    private readonly options: IDagOptions
  ) {
    const trans = this._trans;
    this._selected = options.selected ?? null;
    const { viewport, world, camera } = this._scene;
    viewport.setAttribute('aria-roledescription', trans.__('graph'));
    this._root.append(viewport, dagTools(camera, trans), this._empty, this._live);
    if (this._search) {
      this._root.append(this._search.node);
    }
    setText(this._empty, trans.__('No steps yet.'));
    viewport.addEventListener('click', this._onClick);
    viewport.addEventListener('dblclick', this._onDoubleClick);
    world.addEventListener('keydown', this._onKeyDown);
    world.addEventListener('change', this._onChange);
    host.append(this._root);
    this.update(_graph);
  }

  get size(): { width: number; height: number } {
    return { width: this._layout?.width ?? 0, height: this._layout?.height ?? 0 };
  }

  update(graph: IDagGraph): void {
    this._graph = graph;
    const shown = fold(graph, this._folds);
    const spoken = announcement([...this._nodes.values()], shown.nodes, this._trans);
    this._show(shown);
    if (spoken) {
      setText(this._live, spoken);
    }
    const label = this._trans._n('Pipeline graph, %1 step', 'Pipeline graph, %1 steps', graph.nodes.length);
    setAttribute(this._scene.viewport, 'aria-label', label);
    this._search?.refresh();
    this._watchClock(shown.nodes.some(node => isActive(node.state) && node.started_at));
  }

  select(id: string | null): void {
    this._selected = id;
    this._mark();
  }

  reveal(id: string): void {
    unfoldTo(this._graph, id, this._folds);
    this._show(fold(this._graph, this._folds));
    const place = this._layout?.nodes.get(this._shownAs(id) ?? '');
    if (place) {
      this._scene.camera.reveal(
        place.x - place.width / 2,
        place.y - place.height / 2,
        place.width,
        SCOPE_HEAD
      );
      this._scene.draw();
      this._mark();
    }
  }

  fit(): void {
    this._scene.camera.fit();
  }

  readonly focus = (): void => this._focusNode(this._tabStop());

  destroy(): void {
    this._stopClock?.();
    this._scene.dispose();
    this._root.remove();
  }

  private _show(shown: IShownGraph): void {
    const shape = shapeOf(shown);
    this._nodes = new Map(shown.nodes.map(node => [node.id, node]));
    this._shown = shown;
    if (shape !== this._shape) {
      this._shape = shape;
      const { direction = 'TB', placeMany } = this.options;
      this._place(layOut(shown, direction, placeMany));
    } else {
      this._scene.patch(this._nodes);
    }
    this._mark();
  }

  private _place(layout: ILayout): void {
    this._layout = layout;
    this._order = readingOrder(layout);
    this._root.classList.toggle('fl-mod-calm', layout.nodes.size > MOST_MOVING);
    this._empty.hidden = layout.nodes.size > 0;
    this._scene.place(layout, this._order, this._nodes, this._tabStop());
  }

  private _mark(): void {
    this._scene.mark();
  }

  /** The shown node that a node is, or is in. */
  private _shownAs(id: string | null): string | null {
    return id === null ? null : (this._shown?.shownAs.get(id) ?? null);
  }

  /** One node only is in the tab order: the selected one, else the first. */
  private _tabStop(): string | null {
    return this._shownAs(this._selected) ?? this._order[0] ?? null;
  }

  private _choose(id: string): void {
    if (id !== this._selected) {
      this.select(id);
      this.options.onSelect?.(id);
    }
  }

  private _focusNode(id: string | null): void {
    const place = id === null ? undefined : this._layout?.nodes.get(id);
    if (id !== null && place) {
      const height = place.open ? SCOPE_HEAD : place.height;
      this._scene.camera.reveal(place.x - place.width / 2, place.y - place.height / 2, place.width, height);
      this._scene.draw();
      // The browser would scroll the viewport, which has its own way to move.
      this._scene.elementOf(id)?.focus({ preventScroll: true });
    }
  }

  /** Fold or unfold a scope; its own line stays where it is. */
  private _setOpen(id: string, open: boolean): void {
    const node = this._nodes.get(id);
    const before = this._layout?.nodes.get(id);
    if (!node || !before || node.scope === 'none' || (node.scope === 'open') === open) {
      return;
    }
    const { view } = this._scene.camera;
    this._folds.setOpen(id, open);
    this._show(fold(this._graph, this._folds));
    const after = this._layout?.nodes.get(id);
    if (after && !this._scene.camera.showsAll) {
      this._scene.camera.hold(view);
      this._scene.camera.shift(
        before.x - after.x,
        before.y - before.height / 2 - (after.y - after.height / 2)
      );
      this._scene.camera.reveal(
        after.x - after.width / 2,
        after.y - after.height / 2,
        after.width,
        after.height
      );
      this._scene.draw();
    }
    const said = open ? this._trans.__('%1 unfolded', node.name) : this._trans.__('%1 folded', node.name);
    setText(this._live, said);
  }

  private _watchClock(growing: string | boolean | null | undefined): void {
    if (growing && !this._stopClock) {
      this._stopClock = everySecond(now => {
        const active = [...this._nodes.values()].filter(node => isActive(node.state));
        this._scene.patchTimes(active, now);
      });
    } else if (!growing) {
      this._stopClock?.();
      this._stopClock = null;
    }
  }

  private readonly _onClick = (event: MouseEvent): void => {
    const id = this._scene.nodeAt(event);
    if (id === null || this._scene.viewport.classList.contains('fl-mod-panning')) {
      return;
    }
    if ((event.target as Element).closest('[data-fl-fold-toggle]')) {
      this._setOpen(id, this._nodes.get(id)?.scope === 'folded');
    } else {
      this._choose(id);
    }
  };

  private readonly _onDoubleClick = (event: MouseEvent): void => {
    const id = this._scene.nodeAt(event);
    const scope = this._nodes.get(id ?? '')?.scope;
    if (id === null || (event.target as Element).closest('[data-fl-fold-toggle]')) {
      return;
    }
    if (scope === 'none') {
      this.options.onOpen?.(id);
    } else {
      this._setOpen(id, scope === 'folded');
    }
  };

  private readonly _onChange = (event: Event): void => {
    const chooser = event.target as HTMLSelectElement;
    const loop = chooser.dataset.flLoop;
    if (loop !== undefined) {
      this._folds.choose(loop, chooser.value);
      this._show(fold(this._graph, this._folds));
      this._choose(chooser.value);
    }
  };

  private readonly _onKeyDown = (event: KeyboardEvent): void => {
    const id = this._scene.elementAt(event.target);
    if (id === null || event.ctrlKey || event.metaKey || event.altKey || !this._layout) {
      return;
    }
    const isScope = this._nodes.get(id)?.scope !== 'none';
    if (isScope && event.key === ' ') {
      this._setOpen(id, this._nodes.get(id)?.scope === 'folded');
    } else if (isScope && (event.key === '+' || event.key === '-')) {
      this._setOpen(id, event.key === '+');
    } else if (event.key === 'Enter' || event.key === ' ') {
      this._choose(id);
      this.options.onOpen?.(id);
    } else if (event.key === '/' && this._search) {
      this._search.focus();
    } else if (event.key === 'Escape') {
      this._scene.elementOf(id)?.blur();
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
  private readonly _folds = this.options.folds ?? new Folds();
  private readonly _root = element('div', 'fl-Dag', { 'data-fl-dag': '' });
  private readonly _empty = element('div', 'fl-Dag-empty');
  private readonly _live = element('div', 'fl-visuallyHidden', { 'aria-live': 'polite' });
  private readonly _scene = new Scene(this._trans, this.options.wheel ?? 'zoom', () => ({
    selected: this._shownAs(this._selected),
    stop: this._tabStop(),
    found: this._found
  }));
  private readonly _search = this.options.search
    ? new Search(
        {
          nodes: () => this._graph.nodes,
          mark: ids => {
            this._found = ids;
            this._mark();
          },
          go: id => {
            this._choose(id);
            this.reveal(id);
          },
          leave: this.focus
        },
        this._trans
      )
    : null;
  private _nodes = new Map<string, IShownNode>();
  private _found: ReadonlySet<string> = new Set();
  private _order: string[] = [];
  private _shown: IShownGraph | null = null;
  private _layout: ILayout | null = null;
  private _shape = '';
  private _selected: string | null;
  private _stopClock: (() => void) | null = null;
}
