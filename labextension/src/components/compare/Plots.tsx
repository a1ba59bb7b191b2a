import * as React from 'react';

import { PLOT_MIME } from '../artifact/preview';
import type { DrawMime } from '../artifact/types';
import type { ITrans } from '../text';
import type { IComparedPlot } from '../../comparison';

/** ROC curves over each other and confusion matrices in a row, drawn by the front end. */
export function Plots(props: {
  plots: readonly IComparedPlot[];
  draw: DrawMime;
  trans: ITrans;
}): JSX.Element {
  return (
    <div className="fl-Compare-plots">
      {props.plots.map(plot => (
        <Plot key={`${plot.task}.${plot.artifact} ${plot.title}`} plot={plot} {...props} />
      ))}
    </div>
  );
}

function Plot({ plot, draw, trans }: { plot: IComparedPlot; draw: DrawMime; trans: ITrans }): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = React.useState(true);
  const shown = JSON.stringify(plot.spec);
  React.useLayoutEffect(() => {
    const undo = host.current && draw(host.current, PLOT_MIME, plot.spec);
    setDrawn(undo !== null);
    return () => undo?.();
  }, [shown]);
  const title = `${plot.task}.${plot.artifact}: ${plot.title}`;
  return (
    <figure className="fl-Compare-plot" data-fl-plot={plot.title}>
      <figcaption>{title}</figcaption>
      <div ref={host} role="img" aria-label={title} />
      {!drawn && <p>{trans.__('This front end cannot draw Vega-Lite.')}</p>}
    </figure>
  );
}
