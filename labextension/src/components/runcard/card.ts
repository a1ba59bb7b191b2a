/**
 * A run in one card: name, state, time, graph, numbers, error. The same in the widget and in Lab.
 */
import { drawPreview } from '../artifact/preview';
import { renderDag } from '../dag/render';
import type { IDagGraph, IDagHandle } from '../dag/types';
import { element, setAttribute, setText } from '../dom';
import { clock, duration, elapsedMs, metric } from '../format';
import { isActive, stateKey, stateLabel, stateSvg } from '../states';
import { ITrans, plainTrans } from '../text';
import { everySecond } from '../ticker';
import { drawDetails, errorElement } from './details';
import type { ICardNode, ICardPlot, ICardRun } from './types';

const LEAST_HEIGHT = 84;
/** Room for the graph's buttons below it. */
const TOOLS_HEIGHT = 52;
const MOST_HEIGHT = 420;

export interface ICard {
  update(run: ICardRun): void;
  destroy(): void;
}

/** Draw `run` into `host`. */
export function renderCard(host: HTMLElement, run: ICardRun, trans: ITrans = plainTrans): ICard {
  return new Card(host, run, trans);
}

class Card implements ICard {
  constructor(
    host: HTMLElement,
    private _run: ICardRun,
    private readonly trans: ITrans
  ) {
    this._head.append(this._icon, this._name, this._state, this._progress, this._time);
    this._root.append(this._head, this._metrics, this._error, this._graph, this._details, this._plots);
    host.append(this._root);
    this._dag = renderDag(this._graph, graphOf(_run), {
      direction: 'LR',
      wheel: 'modifier',
      trans,
      onSelect: id => this._select(id),
      onOpen: id => this._select(id)
    });
    this.update(_run);
  }

  update(run: ICardRun): void {
    this._run = run;
    const key = stateKey(run.state);
    if (this._root.dataset.flState !== key) {
      this._icon.innerHTML = stateSvg(key);
      setAttribute(this._icon, 'data-fl-state', key);
    }
    setAttribute(this._root, 'data-fl-state', key);
    setAttribute(this._root, 'data-fl-card', run.id ?? '');
    setText(this._name, run.name ?? '');
    setText(this._state, stateLabel(run.state, this.trans));
    setText(this._progress, run.total ? `${run.done ?? 0}/${run.total}` : '');
    this._showTime(Date.now());
    this._showMetrics(run.metrics ?? {});
    this._showError(run);
    this._showPlots(run.plots ?? []);
    this._showGraph(graphOf(run));
    this._showDetails();
    this._watchClock(isActive(run.state));
  }

  destroy(): void {
    this._stopClock?.();
    this._dag.destroy();
    this._root.remove();
  }

  private _showTime(now: number): void {
    const { started_at, created_at, finished_at, state } = this._run;
    const ms = elapsedMs(created_at ?? started_at, finished_at, now);
    const open = isActive(state);
    setText(this._time, ms === null || !(open || finished_at) ? '' : open ? clock(ms) : duration(ms));
  }

  private _showMetrics(metrics: Record<string, number>): void {
    const entries = Object.entries(metrics);
    this._metrics.hidden = entries.length === 0;
    const drawn = JSON.stringify(entries);
    if (drawn !== this._drawnMetrics) {
      this._drawnMetrics = drawn;
      this._metrics.replaceChildren(
        ...entries.map(([name, value]) =>
          element(
            'li',
            'fl-Metrics-one',
            { 'data-fl-metric': name, title: String(value) },
            element('span', 'fl-Metrics-name', {}, name),
            ' ',
            element('b', '', {}, metric(name, value))
          )
        )
      );
    }
  }

  private _showError(run: ICardRun): void {
    const failed = run.graph?.nodes?.find(node => node.error);
    const drawn = JSON.stringify([failed?.name, failed?.error, run.error]);
    if (drawn === this._drawnError) {
      return;
    }
    this._drawnError = drawn;
    const shown = failed?.error
      ? [
          element('b', '', {}, this.trans.__('%1 failed', failed.name)),
          errorElement(failed.error, this.trans)
        ]
      : run.error
        ? [errorElement({ message: run.error }, this.trans)]
        : [];
    this._error.replaceChildren(...shown);
    this._error.hidden = shown.length === 0;
  }

  private _showPlots(plots: readonly ICardPlot[]): void {
    this._plots.hidden = plots.length === 0;
    const drawn = JSON.stringify(plots);
    if (drawn === this._drawnPlots) {
      return;
    }
    this._drawnPlots = drawn;
    this._plots.replaceChildren();
    for (const { step, name, preview } of plots) {
      const title = this.trans.__('%1 of %2', name, step);
      const host = element('figure', 'fl-Card-plot', {}, element('figcaption', 'fl-Card-sub', {}, title));
      this._plots.append(host);
      drawPreview(host, preview, { name: title, trans: this.trans });
    }
  }

  private _showGraph(graph: IDagGraph): void {
    this._dag.update(graph);
    const px = Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, this._dag.size.height + TOOLS_HEIGHT));
    this._graph.style.height = `${px}px`;
  }

  private _select(id: string | null): void {
    this._selected = id;
    this._showDetails();
  }

  private _showDetails(): void {
    const node = this._run.graph?.nodes?.find(one => one.id === this._selected) ?? null;
    const drawn = JSON.stringify(node);
    if (drawn !== this._drawnDetails) {
      this._drawnDetails = drawn;
      drawDetails(this._details, node, this.trans, () => {
        this._dag.select(null);
        this._select(null);
      });
    }
  }

  private _watchClock(growing: boolean): void {
    if (growing) {
      this._stopClock ??= everySecond(now => this._showTime(now));
    } else {
      this._stopClock?.();
      this._stopClock = null;
    }
  }

  private readonly _root = element('section', 'fl-Card fl-theme', { role: 'group' });
  private readonly _head = element('header', 'fl-Card-head');
  private readonly _icon = element('span', 'fl-StateIcon', { 'aria-hidden': 'true' });
  private readonly _name = element('b', 'fl-Card-name');
  private readonly _state = element('span', 'fl-Card-state', { 'aria-live': 'polite' });
  private readonly _progress = element('span', 'fl-Card-progress');
  private readonly _time = element('span', 'fl-Card-time');
  private readonly _metrics = element('ul', 'fl-Metrics');
  private readonly _error = element('div', 'fl-Error');
  private readonly _graph = element('div', 'fl-Card-graph');
  private readonly _details = element('div', 'fl-Card-details');
  private readonly _plots = element('div', 'fl-Card-plots');
  private readonly _dag: IDagHandle;
  private _selected: string | null = null;
  private _drawnMetrics = '';
  private _drawnError = '';
  private _drawnDetails = '';
  private _drawnPlots = '';
  private _stopClock: (() => void) | null = null;
}

function graphOf(run: ICardRun): IDagGraph & { nodes: ICardNode[] } {
  return { nodes: run.graph?.nodes ?? [], edges: run.graph?.edges ?? [] };
}
