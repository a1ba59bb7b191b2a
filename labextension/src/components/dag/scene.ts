/**
 * What is seen of the graph: the camera, the elements, and the picture below them, frame by frame.
 */
import { element } from '../dom';
import type { ITrans } from '../text';
import { Camera } from './camera';
import type { IShownNode } from './fold';
import type { ILayout } from './layout';
import { nodeWords } from './nodes';
import { Picture } from './picture';
import { Stage } from './stage';
import type { IDagOptions } from './types';

/** Where a large graph is further away, it is only a picture. */
const NEAR_SCALE = 0.4;

export interface IMarks {
  selected: string | null;
  /** The node in the tab order. */
  stop: string | null;
  /** Those that were searched for. */
  found: ReadonlySet<string>;
}

export class Scene {
  constructor(
    private readonly trans: ITrans,
    wheel: NonNullable<IDagOptions['wheel']>,
    private readonly marks: () => IMarks
  ) {
    this.viewport.append(this._picture.node, this.world);
    this.camera = new Camera(this.viewport, this.world, wheel, () => this.draw());
    this.viewport.addEventListener('pointermove', this._onHover);
    this._themes.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
  }

  readonly viewport = element('div', 'fl-Dag-viewport', { role: 'application' });
  readonly world = element('div', 'fl-Dag-world');
  readonly camera: Camera;

  /** Take another layout; `focus` is the node that matters most in it. */
  place(
    layout: ILayout,
    order: readonly string[],
    nodes: ReadonlyMap<string, IShownNode>,
    focus: string | null
  ): void {
    this._nodes = nodes;
    this._stage.place(layout, order);
    this._picture.place(this._stage.isLarge ? layout : null);
    this.world.style.width = `${layout.width}px`;
    this.world.style.height = `${layout.height}px`;
    this.camera.setWorld(layout.width, layout.height, layout.nodes.get(focus ?? '') ?? { x: 0, y: 0 });
    this.draw();
    this._stage.patch(nodes);
  }

  /** Show newer states. */
  patch(nodes: ReadonlyMap<string, IShownNode>): void {
    this._nodes = nodes;
    this._stage.patch(nodes);
    this._picture.refresh();
  }

  patchTimes(nodes: Iterable<IShownNode>, now: number): void {
    this._stage.patchTimes(nodes, now);
  }

  /** Have in the DOM what is in sight. */
  draw(): void {
    const { seen, view, isMoving } = this.camera;
    const kept = [this.marks().stop, this.elementAt(document.activeElement)];
    const sight = { seen, far: view.scale < NEAR_SCALE, moving: isMoving };
    const { changed, more } = this._stage.draw(sight, kept, this._nodes);
    if (changed) {
      this.mark();
    }
    this._paint(more && !isMoving);
  }

  /** Mark what is selected, in the tab order, and found. */
  mark(): void {
    const { selected, stop, found } = this.marks();
    if (stop !== null && !this.elementOf(stop)) {
      // What is in the tab order has an element, however small it is.
      this.draw();
      return;
    }
    this._stage.mark(this._nodes, selected, stop, found);
    this._picture.mark(selected, found);
    this._paint();
  }

  elementOf(id: string): HTMLElement | undefined {
    return this._stage.elementOf(id);
  }

  /** The node whose element something is in. */
  elementAt(target: EventTarget | null): string | null {
    const found = target instanceof Element ? target.closest<HTMLElement>('.fl-Dag-node') : null;
    return found && this.world.contains(found) ? (found.dataset.flNode ?? null) : null;
  }

  /** The node under the pointer, also where it is only in the picture. */
  nodeAt(event: MouseEvent): string | null {
    return this.elementAt(event.target) ?? (this._stage.isLarge ? this._pictured(event).node : null);
  }

  dispose(): void {
    cancelAnimationFrame(this._frame);
    this._themes.disconnect();
    this.camera.dispose();
  }

  /** Draw the picture with the next frame, and make what was left over in this one. */
  private _paint(more = false): void {
    this._isUnfinished ||= more;
    if (this._frame || !this._stage.isLarge) {
      return;
    }
    this._frame = requestAnimationFrame(() => {
      this._frame = 0;
      if (this._isUnfinished) {
        this._isUnfinished = false;
        this.draw();
      }
      const { view, isMoving } = this.camera;
      this._picture.draw(view, isMoving, this._nodes, id => this._stage.elementOf(id) !== undefined);
    });
  }

  private _pictured({ clientX, clientY }: MouseEvent): ReturnType<Picture['at']> {
    const { left, top } = this.viewport.getBoundingClientRect();
    const { x, y, scale } = this.camera.view;
    return this._picture.at((clientX - left - x) / scale, (clientY - top - y) / scale, scale);
  }

  /** What is only in the picture tells its words, too. */
  private readonly _onHover = (event: PointerEvent): void => {
    if (!this._stage.isLarge || this.camera.isMoving) {
      return;
    }
    const { node, edge } =
      this.elementAt(event.target) === null ? this._pictured(event) : { node: null, edge: null };
    const shown = this._nodes.get(node ?? '');
    this.world.title = shown ? nodeWords(shown, this.trans) : (edge?.names?.join(', ') ?? '');
    this.world.classList.toggle('fl-mod-onNode', node !== null);
  };

  /** Elements follow the page's colours by themselves, the picture does not. */
  private readonly _themes = new MutationObserver(() => {
    this._picture.refresh();
    this._paint();
  });
  private readonly _picture = new Picture();
  private readonly _stage = new Stage(this.world, this.trans);
  private _nodes: ReadonlyMap<string, IShownNode> = new Map();
  private _frame = 0;
  private _isUnfinished = false;
}
