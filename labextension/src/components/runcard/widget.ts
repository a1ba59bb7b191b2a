/**
 * The run widget, in any front end that knows anywidget. It draws what the kernel tells, no more.
 */
import artifactCss from '../../../style/artifact.css';
import baseCss from '../../../style/base.css';
import cardCss from '../../../style/card.css';
import dagCss from '../../../style/dag.css';
import { element } from '../dom';
import { renderCard } from './card';
import type { ICardRun } from './types';

/** The part of anywidget's model that is used. */
export interface IRunTraits {
  get(name: 'run'): ICardRun | null;
  on(event: 'change:run', listener: () => void): void;
  off(event: 'change:run', listener: () => void): void;
}

/** Draw the model's run, and follow it; returns how to stop. */
function render({ model, el }: { model: IRunTraits; el: HTMLElement }): () => void {
  // Beside the card, not in the document's head: the widget may live in a shadow tree or an iframe.
  el.append(element('style', '', {}, baseCss, dagCss, cardCss, artifactCss));
  const card = renderCard(el, model.get('run') ?? {});
  const changed = (): void => card.update(model.get('run') ?? {});
  model.on('change:run', changed);
  return () => {
    model.off('change:run', changed);
    card.destroy();
  };
}

export default { render };
