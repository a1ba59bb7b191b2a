/**
 * What of the graph is in the DOM. Of a large graph those nodes that can be read, and the one that has the
 * focus; all else is in its picture, so that it is drawn at once and moves freely.
 */
import { element, setAttribute, setText } from '../dom';
import type { ITrans } from '../text';
import { Edges, Rect, touches } from './edges';
import type { IShownNode } from './fold';
import { ILayout, IPlace, SCOPE_HEAD } from './layout';
import { createNode, patchNode, patchTime } from './nodes';
import { rectOf } from './picture';

/** A graph of so many nodes is in the DOM as a whole. */
const FEW_NODES = 150;
/** Elements that are made in one frame, which then still comes in time. */
const MOST_MADE = 12;
/** Of an open loop: the room for the choice of an iteration. */
const CHOOSER_WIDTH = 76;

/** What can be seen of the world. */
export interface ISight {
  /** Null where nobody knows. */
  seen: Rect | null;
  /** Too small to be read. */
  far: boolean;
  /** It moves: nothing is made just now. */
  moving: boolean;
}

export class Stage {
  constructor(
    world: HTMLElement,
    private readonly trans: ITrans
  ) {
    world.append(this._boxes, this._edges.node, this._nodes);
  }

  /** Take another layout; `order` is the one in which its nodes are read. */
  place(layout: ILayout, order: readonly string[]): void {
    this._layout = layout;
    this._order = order;
    this._isDrawn = false;
    this._edges.place(this.isLarge ? { ...layout, edges: [] } : layout);
    for (const id of [...this._elements.keys()]) {
      const place = layout.nodes.get(id);
      if (place) {
        this._putAt(id, place);
      } else {
        this._drop(id);
      }
    }
  }

  /** Whether most of it is only in the picture. */
  get isLarge(): boolean {
    return this._order.length > FEW_NODES;
  }

  /**
   * Have in the DOM what is in sight. `kept` are ids that stay whatever is seen: a focus must not be lost.
   * Tells whether something changed, and whether more is to be made in a later frame.
   */
  draw(
    sight: ISight,
    kept: readonly (string | null)[],
    shown: ReadonlyMap<string, IShownNode>
  ): { changed: boolean; more: boolean } {
    const { _layout: layout, _order: order } = this;
    if (!layout || (this._isDrawn && !this.isLarge)) {
      return { changed: false, more: false };
    }
    this._isDrawn = true;
    const wanted = this.isLarge ? wantedIn(sight, layout) : (): boolean => true;
    let room = !this.isLarge || !sight.seen ? Infinity : sight.moving ? 0 : MOST_MADE;
    let [changed, more] = [false, false];
    let next: HTMLElement | null = null;
    for (let index = order.length - 1; index >= 0; index -= 1) {
      const id = order[index];
      const isKept = kept.includes(id);
      let target = this._elements.get(id);
      if (!isKept && !wanted(id, index)) {
        // What moves is not touched, unless it would be drawn twice.
        if (target && (sight.far || !sight.moving)) {
          this._drop(id);
          changed = true;
        } else {
          next = target ?? next;
        }
        continue;
      }
      if (!target) {
        if (!isKept && room <= 0) {
          more = true;
          continue;
        }
        room -= 1;
        changed = true;
        target = createNode();
        this._elements.set(id, target);
        this._nodes.insertBefore(target, next);
        this._putAt(id, layout.nodes.get(id)!);
        const node = shown.get(id);
        if (node) {
          this._patch(node, index);
        }
      }
      next = target;
    }
    this._edges.draw();
    return { changed, more };
  }

  /** Show newer states in what is drawn. */
  patch(shown: ReadonlyMap<string, IShownNode>): void {
    this._order.forEach((id, index) => {
      const node = shown.get(id);
      if (node && this._elements.has(id)) {
        this._patch(node, index);
      }
    });
  }

  patchTimes(nodes: Iterable<IShownNode>, now: number): void {
    for (const node of nodes) {
      const target = this._elements.get(node.id);
      if (target) {
        patchTime(target, node, now);
      }
    }
  }

  /** Mark the selected node, the one in the tab order, and those that were searched for. */
  mark(
    shown: ReadonlyMap<string, IShownNode>,
    selected: string | null,
    stop: string | null,
    found: ReadonlySet<string>
  ): void {
    for (const [id, target] of this._elements) {
      setAttribute(target, 'aria-pressed', String(id === selected));
      setAttribute(target, 'tabindex', id === stop ? '0' : '-1');
      target.classList.toggle('fl-mod-found', found.has(id));
    }
    this._edges.mark(shown, selected);
  }

  elementOf(id: string): HTMLElement | undefined {
    return this._elements.get(id);
  }

  private _patch(node: IShownNode, index: number): void {
    const target = this._elements.get(node.id)!;
    patchNode(target, node, index + 1, this._order.length, this.trans);
    const box = this._boxOf.get(node.id);
    if (box) {
      setAttribute(box, 'data-fl-state', target.dataset.flState ?? '');
      setAttribute(box, 'data-fl-type', node.type ?? '');
    }
    this._patchChooser(node);
  }

  /** The list of a loop's iterations, each with its state. */
  private _patchChooser(node: IShownNode): void {
    let chooser = this._choosers.get(node.id);
    if (node.scope !== 'open' || node.choices.length === 0) {
      chooser?.remove();
      this._choosers.delete(node.id);
      return;
    }
    if (!chooser) {
      chooser = element('select', 'fl-Dag-chooser', { 'data-fl-loop': node.id });
      this._choosers.set(node.id, chooser);
      this._elements.get(node.id)!.after(chooser);
    }
    setAttribute(chooser, 'aria-label', this.trans.__('Iteration of %1', node.name));
    const place = this._layout!.nodes.get(node.id)!;
    chooser.style.left = `${place.x + place.width / 2 - CHOOSER_WIDTH}px`;
    chooser.style.top = `${place.y - place.height / 2 + SCOPE_HEAD / 2 - 12}px`;
    node.choices.forEach((choice, index) => {
      const option = chooser.options[index] ?? chooser.appendChild(document.createElement('option'));
      option.value = choice.id;
      setText(option, `${choice.iteration} ${MARKS[choice.state] ?? ''}`);
      option.selected = choice.id === node.chosen;
    });
    chooser.length = node.choices.length;
  }

  private _putAt(id: string, place: IPlace): void {
    const target = this._elements.get(id)!;
    const [left, top] = [place.x - place.width / 2, place.y - place.height / 2];
    target.style.left = `${left}px`;
    target.style.top = `${top}px`;
    target.style.width = place.open ? `${place.width}px` : '';
    let box = this._boxOf.get(id);
    if (!place.open || this.isLarge) {
      box?.remove();
      this._boxOf.delete(id);
      return;
    }
    if (!box) {
      box = element('div', 'fl-Dag-scope', { 'aria-hidden': 'true' });
      this._boxOf.set(id, box);
      this._boxes.append(box);
    }
    box.dataset.flDepth = String(this._depth(place) % 2);
    box.style.left = `${left}px`;
    box.style.top = `${top}px`;
    box.style.width = `${place.width}px`;
    box.style.height = `${place.height}px`;
    // A box stands over the one that it is in.
    box.style.zIndex = String(this._depth(place));
  }

  private _depth(place: IPlace): number {
    let depth = 0;
    for (let at = place.parent; at !== null; at = this._layout?.nodes.get(at)?.parent ?? null) {
      depth += 1;
    }
    return depth;
  }

  private _drop(id: string): void {
    this._elements.get(id)?.remove();
    this._elements.delete(id);
    this._boxOf.get(id)?.remove();
    this._boxOf.delete(id);
    this._choosers.get(id)?.remove();
    this._choosers.delete(id);
  }

  private readonly _boxes = element('div', 'fl-Dag-boxes');
  private readonly _nodes = element('div', 'fl-Dag-nodes');
  private readonly _edges = new Edges();
  private readonly _elements = new Map<string, HTMLElement>();
  private readonly _boxOf = new Map<string, HTMLElement>();
  private readonly _choosers = new Map<string, HTMLSelectElement>();
  private _layout: ILayout | null = null;
  private _order: readonly string[] = [];
  private _isDrawn = false;
}

/** States in an option, where no picture can be. */
const MARKS: Record<string, string> = {
  SUCCEEDED: '✓',
  CACHED: '✓',
  FAILED: '✗',
  RUNNING: '◐',
  CANCELED: '■',
  CANCELING: '■',
  PENDING: '○',
  SKIPPED: '»'
};

/** Which nodes of a large graph should have elements. */
function wantedIn({ seen, far }: ISight, layout: ILayout): (id: string, index: number) => boolean {
  if (!seen) {
    return (_, index) => index < FEW_NODES;
  }
  if (far) {
    return () => false;
  }
  const [left, top, right, bottom] = seen;
  // A quarter more on every side: the next step of a walk needs nothing new.
  const [dx, dy] = [(right - left) / 4, (bottom - top) / 4];
  const around: Rect = [left - dx, top - dy, right + dx, bottom + dy];
  return id => touches(rectOf(layout.nodes.get(id)!), around);
}
