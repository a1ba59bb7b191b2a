/**
 * The edges of the DAG, one SVG below the nodes.
 */
import { setAttribute } from '../dom';
import { isActive } from '../states';
import { ILayout, IPen, IPlacedEdge, trace } from './layout';
import type { IDagNode } from './types';

const SVG = 'http://www.w3.org/2000/svg';
let markers = 0;

/** Left, top, right and bottom, in the world. */
export type Rect = readonly [number, number, number, number];

export const touches = (a: Rect, b: Rect): boolean =>
  a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];

export class Edges {
  constructor() {
    this.node.setAttribute('class', 'fl-Dag-edges');
    this.node.setAttribute('aria-hidden', 'true');
    // Ids are the document's: each graph needs its own.
    const defs = document.createElementNS(SVG, 'defs');
    defs.innerHTML =
      `<marker id="${this._marker}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" ` +
      'orient="auto-start-reverse"><path d="M0 0.8 7.2 4 0 7.2z" fill="context-stroke"/></marker>';
    this.node.append(defs);
  }

  readonly node = document.createElementNS(SVG, 'svg');

  /** Take the edges of another layout. */
  place(layout: ILayout): void {
    this._paths.forEach(path => path.remove());
    this._paths.clear();
    this._layout = layout;
    this.node.setAttribute('width', String(layout.width));
    this.node.setAttribute('height', String(layout.height));
  }

  /** Have them all in the DOM. */
  draw(): void {
    for (const edge of this._layout?.edges ?? []) {
      const path = this._make(edge);
      this._paths.set(edge, path);
      this.node.append(path);
    }
  }

  /** Mark the edges of the selected node, and those into a step that runs. */
  mark(nodes: ReadonlyMap<string, IDagNode>, selected: string | null): void {
    for (const [edge, path] of this._paths) {
      const target = nodes.get(edge.target);
      const near = selected !== null && (edge.source === selected || edge.target === selected);
      const flows = target?.state !== 'PENDING' && isActive(target?.state);
      setAttribute(path, 'data-fl-mark', near ? 'selected' : flows ? 'active' : '');
    }
  }

  private _make(edge: IPlacedEdge): SVGPathElement {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', 'fl-Dag-edge');
    const pen = new PathPen();
    trace(edge, this._layout!.direction, pen);
    path.setAttribute('d', pen.text);
    path.setAttribute('marker-end', `url(#${this._marker})`);
    path.dataset.flSource = edge.source;
    path.dataset.flTarget = edge.target;
    if (edge.names?.length) {
      const title = document.createElementNS(SVG, 'title');
      title.textContent = edge.names.join(', ');
      path.append(title);
    }
    return path;
  }

  private readonly _marker = `fl-arrow-${++markers}`;
  private readonly _paths = new Map<IPlacedEdge, SVGPathElement>();
  private _layout: ILayout | null = null;
}

class PathPen implements IPen {
  text = '';

  moveTo(x: number, y: number): void {
    this.text += `M${at(x)} ${at(y)}`;
  }

  lineTo(x: number, y: number): void {
    this.text += `L${at(x)} ${at(y)}`;
  }

  bezierCurveTo(...points: [number, number, number, number, number, number]): void {
    this.text += `C${points.map(at).join(' ')}`;
  }
}

const at = (value: number): number => Math.round(value * 10) / 10;
