import * as React from 'react';

import type { ITrans } from '../text';
import type { Folds } from './fold';
import { placeMany } from './placemany';
import { renderDag } from './render';
import type { IDagGraph, IDagHandle } from './types';

/** The graph inside React: made once, then patched. */
export function DagView(props: {
  graph: IDagGraph;
  selected: string | null;
  /** Which scopes are folded; it outlives the view. */
  folds: Folds;
  onSelect: (id: string) => void;
  onOpen: (id: string) => void;
  onLeave: () => void;
  trans: ITrans;
}): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const dag = React.useRef<IDagHandle | null>(null);
  // The graph keeps its callbacks for life: let them call whatever is current.
  const latest = React.useRef(props);
  latest.current = props;

  React.useEffect(() => {
    const { graph, selected, trans } = latest.current;
    dag.current = renderDag(host.current!, graph, {
      selected,
      folds: latest.current.folds,
      placeMany,
      search: true,
      trans,
      onSelect: id => latest.current.onSelect(id),
      onOpen: id => latest.current.onOpen(id),
      onLeave: () => latest.current.onLeave()
    });
    return () => dag.current?.destroy();
  }, []);
  React.useEffect(() => dag.current?.update(props.graph), [props.graph]);
  React.useEffect(() => dag.current?.select(props.selected), [props.selected]);
  return <div className="fl-DagView" ref={host} />;
}
