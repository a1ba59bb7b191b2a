import * as React from 'react';

import { renderDag } from '../dag/render';
import type { IDagHandle } from '../dag/types';
import { valueText } from '../format';
import { StateIcon } from '../StateIcon';
import type { ITrans } from '../text';
import { around, ILineageGraph, ILineageNode, lineageDag } from './lineagegraph';

export interface IUse {
  run_id: string;
  run_name: string;
  task_id: string;
  task_name: string;
  key: string;
  state: string;
  gone: boolean;
  inputs?: Record<string, unknown>;
}

/** Where to go from here. */
export interface ILineageVerbs {
  onOpenArtifact: (id: string) => void;
  onOpenRun: (run: string, task: string) => void;
}

/** Where an artifact comes from and what was made with it: as a graph, and in words. */
export function Lineage(props: {
  /** Id of the artifact. */
  artifact: string;
  graph: ILineageGraph;
  madeBy: readonly IUse[];
  readBy: readonly IUse[];
  verbs: ILineageVerbs;
  trans: ITrans;
}): JSX.Element {
  const { artifact, graph, verbs, trans } = props;
  const { sources, uses } = around(graph, artifact);
  return (
    <>
      <LineageGraph artifact={artifact} graph={graph} verbs={verbs} trans={trans} />
      {graph.more && (
        <p className="fl-Preview-more">{trans.__('It goes on: open an artifact at its edge to see more.')}</p>
      )}
      <Uses title={trans.__('Made by')} name="made-by" uses={props.madeBy} verbs={verbs} trans={trans} />
      <Uses title={trans.__('Read by')} name="read-by" uses={props.readBy} verbs={verbs} trans={trans} />
      <Links title={trans.__('Made from')} name="sources" nodes={sources} verbs={verbs} trans={trans} />
      <Links title={trans.__('Used for')} name="uses" nodes={uses} verbs={verbs} trans={trans} />
    </>
  );
}

function LineageGraph(props: {
  artifact: string;
  graph: ILineageGraph;
  verbs: ILineageVerbs;
  trans: ITrans;
}): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const dag = React.useRef<IDagHandle | null>(null);
  const latest = React.useRef(props);
  latest.current = props;
  const drawn = React.useMemo(() => lineageDag(props.graph), [props.graph]);
  React.useEffect(() => {
    const open = (id: string): void => {
      const { graph, verbs, artifact } = latest.current;
      const node = graph.nodes.find(one => one.id === id);
      if (node?.kind === 'task') {
        verbs.onOpenRun(node.run_id, node.ref);
      } else if (node && node.ref !== artifact) {
        verbs.onOpenArtifact(node.ref);
      }
    };
    dag.current = renderDag(host.current!, drawn, {
      direction: 'LR',
      wheel: 'modifier',
      selected: `artifact/${latest.current.artifact}`,
      trans: latest.current.trans,
      onOpen: open
    });
    return () => dag.current?.destroy();
  }, []);
  React.useEffect(() => dag.current?.update(drawn), [drawn]);
  return <div className="fl-Lineage-graph" data-fl-lineage="" ref={host} />;
}

function Uses(props: {
  title: string;
  name: string;
  uses: readonly IUse[];
  verbs: ILineageVerbs;
  trans: ITrans;
}): JSX.Element {
  const { uses, trans } = props;
  return (
    <section data-fl-uses={props.name}>
      <h4 className="fl-Table-title">{props.title}</h4>
      {uses.length === 0 ? (
        <p className="fl-Table-none">{trans.__('None.')}</p>
      ) : (
        <ul className="fl-Lineage-list">
          {uses.map(use => (
            <li key={`${use.task_id} ${use.key}`}>
              <StateIcon state={use.state} trans={trans} />{' '}
              <button
                type="button"
                className="fl-Link"
                disabled={use.gone}
                title={use.gone ? trans.__('This run was deleted.') : use.run_name}
                onClick={() => props.verbs.onOpenRun(use.run_id, use.task_id)}
              >
                {use.task_name || use.task_id}
              </button>{' '}
              <span className="fl-Lineage-note">
                {trans.__('in %1', use.run_name)}
                {use.key && `, ${trans.__('as %1', use.key)}`}
              </span>
              <Inputs inputs={use.inputs ?? {}} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Inputs({ inputs }: { inputs: Record<string, unknown> }): JSX.Element | null {
  const entries = Object.entries(inputs).filter(([name]) => name !== 'step');
  return entries.length === 0 ? null : (
    <ul className="fl-Params">
      {entries.map(([name, value]) => (
        <li
          key={name}
          className="fl-Params-one"
          data-fl-parameter={name}
          title={`${name} = ${valueText(value)}`}
        >
          {name} = <code>{valueText(value)}</code>
        </li>
      ))}
    </ul>
  );
}

function Links(props: {
  title: string;
  name: string;
  nodes: readonly ILineageNode[];
  verbs: ILineageVerbs;
  trans: ITrans;
}): JSX.Element | null {
  return props.nodes.length === 0 ? null : (
    <section data-fl-uses={props.name}>
      <h4 className="fl-Table-title">{props.title}</h4>
      <ul className="fl-Lineage-list">
        {props.nodes.map(node => (
          <li key={node.id}>
            <button type="button" className="fl-Link" onClick={() => props.verbs.onOpenArtifact(node.ref)}>
              {node.name}
            </button>{' '}
            <span className="fl-Lineage-note">{node.type}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
