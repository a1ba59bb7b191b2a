import { caretDownIcon, caretRightIcon, downloadIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { bytes, valueText } from './format';
import type { IStepPort } from './Overview';
import type { ITrans } from './text';

/** What can be done with an artifact of a port; `place` counts those of a list. */
export interface IPortVerbs {
  /** Address from which it is downloaded. */
  download: (port: IStepPort, place: number) => string | null;
  /** Show the artifact's own page. */
  open: (artifact: string) => void;
  /** What it holds. */
  preview: (port: IStepPort, place: number, name: string) => React.ReactNode;
}

/** What a step takes and what it makes. */
export function Ports(props: {
  inputs: readonly IStepPort[];
  outputs: readonly IStepPort[];
  trans: ITrans;
  verbs: IPortVerbs;
}): JSX.Element {
  const { trans } = props;
  return (
    <>
      <PortTable
        title={trans.__('Inputs')}
        name="inputs"
        ports={props.inputs}
        trans={trans}
        verbs={props.verbs}
      />
      <PortTable
        title={trans.__('Outputs')}
        name="outputs"
        ports={props.outputs}
        trans={trans}
        verbs={props.verbs}
      />
    </>
  );
}

function PortTable(props: {
  title: string;
  name: string;
  ports: readonly IStepPort[];
  trans: ITrans;
  verbs: IPortVerbs;
}): JSX.Element {
  const { ports, trans } = props;
  return (
    <>
      <h3 className="fl-Table-title">{props.title}</h3>
      {ports.length === 0 ? (
        <p className="fl-Table-none">{trans.__('None.')}</p>
      ) : (
        <table className="fl-Table" data-fl-ports={props.name}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              <th scope="col">{trans.__('Type')}</th>
              <th scope="col">{trans.__('Format')}</th>
              <th scope="col" className="fl-mod-number">
                {trans.__('Size')}
              </th>
            </tr>
          </thead>
          <tbody>
            {ports.flatMap(port =>
              (port.artifacts?.length ? port.artifacts : [null]).map((artifact, place) => (
                <PortRow
                  key={`${port.name} ${artifact?.artifact_id ?? place}`}
                  port={port}
                  place={place}
                  verbs={props.verbs}
                  trans={trans}
                />
              ))
            )}
          </tbody>
        </table>
      )}
    </>
  );
}

/** Types whose content is what a reader looks for: it is shown by itself. */
const SHOWN = ['Metrics', 'ClassificationMetrics', 'SlicedClassificationMetrics', 'HTML', 'Markdown'];

function PortRow(props: { port: IStepPort; place: number; verbs: IPortVerbs; trans: ITrans }): JSX.Element {
  const { port, place, verbs, trans } = props;
  const artifact = port.artifacts?.[place];
  const [shown, setShown] = React.useState(SHOWN.includes(port.type ?? ''));
  const all = port.names?.length ? port.names.join(', ') : port.name;
  const name = (port.artifacts?.length ?? 0) > 1 ? `${all}[${place}]` : all;
  const there = port.kind === 'artifact' && !!(artifact?.uri ?? port.uri);
  const href = there ? verbs.download(port, place) : null;
  const id = artifact?.artifact_id;
  return (
    <>
      <tr data-fl-port={port.name} data-fl-artifact={id} data-fl-name={port.name}>
        <td>
          {there && (
            <button
              type="button"
              className="fl-IconLink fl-Ports-fold"
              data-fl-action="show-artifact"
              aria-expanded={shown}
              aria-label={trans.__('Content of %1', name)}
              onClick={() => setShown(!shown)}
            >
              {shown ? <caretDownIcon.react tag="span" /> : <caretRightIcon.react tag="span" />}
            </button>
          )}
          {there && id ? (
            <button
              type="button"
              className="fl-Link"
              data-fl-action="open-artifact"
              title={trans.__('Open %1', name)}
              onClick={() => verbs.open(id)}
            >
              {name}
            </button>
          ) : (
            name
          )}
        </td>
        <td className="fl-mod-long">{port.type}</td>
        <td className="fl-mod-long">
          {port.kind === 'parameter' ? <code>{valueText(port.value)}</code> : port.format}
        </td>
        <td className="fl-mod-number">
          {bytes(port.size)}
          {href && (
            <a
              className="fl-IconLink fl-Ports-download"
              href={href}
              download
              aria-label={trans.__('Download %1', name)}
              title={trans.__('Download %1', name)}
            >
              <downloadIcon.react tag="span" />
            </a>
          )}
        </td>
      </tr>
      {there && shown && (
        <tr className="fl-Ports-preview" data-fl-port-preview={port.name}>
          <td colSpan={4}>{verbs.preview(port, place, name)}</td>
        </tr>
      )}
    </>
  );
}
