/**
 * Runs in the outputs of notebooks: the card of the widget, drawn from the saved view without a kernel.
 */
import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

import { ICard, renderCard } from '../components/runcard/card';
import type { ICardRun } from '../components/runcard/types';
import type { ITrans } from '../components/text';

export const RUN_MIME = 'application/vnd.fairlead.run+json';
/** Before HTML and SVG, the forms for front ends without us; behind live widgets. */
const RANK = 10;

class RunRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly trans: ITrans) {
    super();
    this.addClass('fl-RunRenderer');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const run = model.data[RUN_MIME] as unknown as ICardRun;
    if (this._card) {
      this._card.update(run);
    } else {
      this._card = renderCard(this.node, run, this.trans);
    }
    return Promise.resolve();
  }

  override dispose(): void {
    this._card?.destroy();
    this._card = null;
    super.dispose();
  }

  private _card: ICard | null = null;
}

export const runRendererFactory = (trans: ITrans): IRenderMime.IRendererFactory => ({
  safe: true, // text only: nothing of the view becomes HTML
  mimeTypes: [RUN_MIME],
  defaultRank: RANK,
  createRenderer: () => new RunRenderer(trans)
});
