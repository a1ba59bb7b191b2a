/**
 * The picture of a large graph, on a canvas below its nodes: all edges, the boxes of scopes, and those nodes
 * that have no element, since they are too small to be read or not yet there. It costs the same
 * however it is moved, while hundreds of elements would be laid out and painted again.
 */
import { element } from '../dom';
import { isActive, STATE_KEYS, StateKey, stateKey } from '../states';
import type { IView } from './camera';
import { Rect, touches } from './edges';
import type { IShownNode } from './fold';
import { ILayout, IPlace, IPlacedEdge, SCOPE_HEAD, trace } from './layout';

/** Where text begins to be worth its time. */
const WORDS_SCALE = 0.3;
/** Below this an edge is as good straight, and has no arrow; so are more than these, while they move. */
const CURVES_SCALE = 0.3;
const MOST_CURVES = 200;
/** Below this a node is a spot in the colour of its state. */
const FRAME_SCALE = 0.12;
const ARROW = 8;

/** Colours of the page's theme. */
interface IPalette {
  text: string;
  quiet: string;
  surface: string;
  raised: string;
  border: string;
  brand: string;
  found: string;
  font: string;
  states: Map<StateKey, string>;
}

export class Picture {
  readonly node = element('canvas', 'fl-Dag-picture', { 'aria-hidden': 'true' });

  /** Take another layout; null: nothing is drawn. */
  place(layout: ILayout | null): void {
    this._layout = layout;
    this._straight = null;
    this._curves.clear();
    this.node.hidden = layout === null;
  }

  /** What is special now. */
  mark(selected: string | null, found: ReadonlySet<string>): void {
    if (selected !== this._selected) {
      this._selected = selected;
      this._straight = null;
    }
    this._found = found;
  }

  /** Read the colours anew with the next drawing: there may be another theme. */
  refresh(): void {
    this._palette = null;
  }

  /** Draw what a view shows, but for the nodes that have elements. */
  draw(
    view: IView,
    moving: boolean,
    nodes: ReadonlyMap<string, IShownNode>,
    hasElement: (id: string) => boolean
  ): void {
    const { _layout: layout, node: canvas } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    const pen = layout && width && height ? canvas.getContext('2d') : null;
    if (!layout || !pen) {
      return;
    }
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const { x, y, scale } = view;
    this._palette ??= readPalette(canvas);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(scale * ratio, 0, 0, scale * ratio, x * ratio, y * ratio);
    const seen: Rect = [-x / scale, -y / scale, (width - x) / scale, (height - y) / scale];
    const shown = [...layout.nodes].filter(([, place]) => touches(rectOf(place), seen));
    this._drawScopes(pen, scale, shown, nodes);
    const edges = layout.edges.filter(edge => touches(edge.box, seen));
    const plain = scale < CURVES_SCALE || (moving && edges.length > MOST_CURVES);
    this._drawEdges(pen, scale, edges, plain, nodes);
    this._drawNodes(
      pen,
      scale,
      shown.filter(([id, place]) => !place.open && !hasElement(id)),
      nodes
    );
  }

  /** What is at a point of the world, the innermost; an edge only where it is drawn as itself. */
  at(x: number, y: number, scale: number): { node: string | null; edge: IPlacedEdge | null } {
    let node: string | null = null;
    for (const [id, place] of this._layout?.nodes ?? []) {
      const [left, top, right, bottom] = rectOf(place);
      if (x >= left && x <= right && y >= top && y <= (place.open ? top + SCOPE_HEAD : bottom)) {
        node = id;
      }
    }
    const pen = node === null && scale >= CURVES_SCALE ? this.node.getContext('2d') : null;
    if (!pen) {
      return { node, edge: null };
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.lineWidth = 6 / scale;
    const edge = this._layout?.edges.find(
      one => touches(one.box, [x, y, x, y]) && pen.isPointInStroke(this._curveOf(one), x, y)
    );
    return { node, edge: edge ?? null };
  }

  private _drawScopes(
    pen: CanvasRenderingContext2D,
    scale: number,
    shown: [string, IPlace][],
    nodes: ReadonlyMap<string, IShownNode>
  ): void {
    const { surface, raised, border } = this._palette!;
    pen.lineWidth = Math.max(1, 1 / scale);
    pen.strokeStyle = border;
    // Scopes stand before what is in them.
    for (const [id, place] of shown.filter(([, one]) => one.open)) {
      const [left, top] = rectOf(place);
      pen.fillStyle = this._depth(place) % 2 ? surface : raised;
      pen.setLineDash(nodes.get(id)?.type?.startsWith('CONDITION') ? [4, 3] : []);
      pen.beginPath();
      pen.rect(left, top, place.width, place.height);
      pen.fill();
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  private _drawEdges(
    pen: CanvasRenderingContext2D,
    scale: number,
    edges: readonly IPlacedEdge[],
    plain: boolean,
    nodes: ReadonlyMap<string, IShownNode>
  ): void {
    const { border, brand, quiet } = this._palette!;
    const isNear = (edge: IPlacedEdge): boolean =>
      this._selected !== null && [edge.source, edge.target].includes(this._selected);
    if (plain) {
      const all = this._layout!.edges;
      this._straight ??= [straightPath(all.filter(edge => !isNear(edge))), straightPath(all.filter(isNear))];
      pen.lineWidth = 1 / scale;
      this._straight.forEach((path, index) => {
        pen.strokeStyle = [border, quiet][index];
        pen.stroke(path);
      });
      return;
    }
    for (const edge of edges) {
      const near = isNear(edge);
      const state = nodes.get(edge.target)?.state;
      const active = state !== 'PENDING' && isActive(state);
      pen.strokeStyle = pen.fillStyle = near ? quiet : active ? brand : border;
      pen.lineWidth = Math.max(near ? 2.2 : 1.5, 1 / scale);
      pen.setLineDash(active && !near ? [5, 4] : []);
      pen.stroke(this._curveOf(edge));
      this._drawArrow(pen, edge);
    }
    pen.setLineDash([]);
  }

  private _drawArrow(pen: CanvasRenderingContext2D, edge: IPlacedEdge): void {
    const { x, y } = edge.pieces[edge.pieces.length - 1][1];
    const [along, across] = this._layout!.direction === 'TB' ? [0, 1] : [1, 0];
    pen.beginPath();
    pen.moveTo(x, y);
    for (const side of [-1, 1]) {
      pen.lineTo(
        x - along * ARROW + (side * across * ARROW) / 2,
        y - across * ARROW + (side * along * ARROW) / 2
      );
    }
    pen.fill();
  }

  private _drawNodes(
    pen: CanvasRenderingContext2D,
    scale: number,
    shown: [string, IPlace][],
    nodes: ReadonlyMap<string, IShownNode>
  ): void {
    const { text, surface, border, brand, found, font, states } = this._palette!;
    pen.textBaseline = 'middle';
    pen.font = font;
    pen.lineWidth = Math.max(1, 1 / scale);
    for (const [id, place] of shown) {
      const node = nodes.get(id);
      const [left, top] = rectOf(place);
      const state = stateKey(node?.state, node?.cached);
      const color = states.get(state)!;
      if (scale < FRAME_SCALE) {
        // What did not run is the ground on which the others are seen.
        const calm = state === 'PENDING' || state === 'SKIPPED';
        pen.fillStyle = this._found.has(id) ? brand : calm ? border : color;
        // A spot that one can see, however small.
        pen.fillRect(left, top, Math.max(place.width, 1.5 / scale), Math.max(place.height, 1.5 / scale));
        continue;
      }
      pen.fillStyle = this._found.has(id) ? found : surface;
      pen.fillRect(left, top, place.width, place.height);
      pen.strokeStyle = id === this._selected ? brand : border;
      pen.strokeRect(left, top, place.width, place.height);
      pen.fillStyle = color;
      pen.fillRect(left, top, Math.max(4, 2 / scale), place.height);
      if (scale >= WORDS_SCALE && node) {
        pen.fillStyle = text;
        pen.fillText(short(node.name), left + 36, top + place.height / 2 - 9, place.width - 44);
      }
    }
  }

  private _curveOf(edge: IPlacedEdge): Path2D {
    let curve = this._curves.get(edge);
    if (!curve) {
      curve = new Path2D();
      trace(edge, this._layout!.direction, curve);
      this._curves.set(edge, curve);
    }
    return curve;
  }

  private _depth(place: IPlace): number {
    const { parent } = place;
    return parent === null ? 0 : 1 + this._depth(this._layout!.nodes.get(parent)!);
  }

  private readonly _curves = new Map<IPlacedEdge, Path2D>();
  /** All edges, and those of the selected node. */
  private _straight: [Path2D, Path2D] | null = null;
  private _layout: ILayout | null = null;
  private _palette: IPalette | null = null;
  private _selected: string | null = null;
  private _found: ReadonlySet<string> = new Set();
}

/** All edges in one path, from row to row. */
function straightPath(edges: readonly IPlacedEdge[]): Path2D {
  const path = new Path2D();
  for (const { pieces } of edges) {
    path.moveTo(pieces[0][0].x, pieces[0][0].y);
    for (const [, to] of pieces) {
      path.lineTo(to.x, to.y);
    }
  }
  return path;
}

/** Colours as the page resolves them. */
function readPalette(canvas: HTMLElement): IPalette {
  const probe = element('span', '', { hidden: '' });
  canvas.after(probe);
  const read = (color: string, state: StateKey | '' = ''): string => {
    probe.dataset.flState = state;
    probe.style.color = color;
    return getComputedStyle(probe).color;
  };
  const palette: IPalette = {
    text: read('var(--fl-text)'),
    quiet: read('var(--fl-text-quiet)'),
    surface: read('var(--fl-surface)'),
    raised: read('var(--fl-surface-raised)'),
    border: read('var(--fl-border)'),
    brand: read('var(--fl-brand)'),
    found: read('var(--fl-found)'),
    font: fontOf(getComputedStyle(probe)),
    states: new Map(STATE_KEYS.map(state => [state, read('var(--fl-state)', state)]))
  };
  probe.remove();
  return palette;
}

const fontOf = ({ fontSize, fontFamily }: CSSStyleDeclaration): string => `600 ${fontSize} ${fontFamily}`;
/** The room of a node's name, about. */
const short = (name: string): string => (name.length > 22 ? `${name.slice(0, 21)}…` : name);

export const rectOf = ({ x, y, width, height }: IPlace): Rect => [
  x - width / 2,
  y - height / 2,
  x + width / 2,
  y + height / 2
];
