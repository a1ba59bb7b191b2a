import * as React from 'react';

import { bytes, valueText } from './format';
import type { IStepPort } from './Overview';
import type { ITrans } from './text';

/** What a step takes and what it makes. */
export function Ports(props: {
  inputs: readonly IStepPort[];
  outputs: readonly IStepPort[];
  trans: ITrans;
  /** Address of an output, or null where there is nothing yet. */
  download: (port: IStepPort) => string | null;
}): JSX.Element {
  const { trans } = props;
  return (
    <>
      <PortTable title={trans.__('Inputs')} name="inputs" ports={props.inputs} trans={trans} />
      <PortTable
        title={trans.__('Outputs')}
        name="outputs"
        ports={props.outputs}
        trans={trans}
        download={props.download}
      />
    </>
  );
}

function PortTable(props: {
  title: string;
  name: string;
  ports: readonly IStepPort[];
  trans: ITrans;
  download?: (port: IStepPort) => string | null;
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
            {ports.map(port => (
              <PortRow key={port.name} port={port} href={props.download?.(port) ?? null} trans={trans} />
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function PortRow(props: { port: IStepPort; href: string | null; trans: ITrans }): JSX.Element {
  const { port, href, trans } = props;
  const name = port.names?.length ? port.names.join(', ') : port.name;
  return (
    <tr data-fl-port={port.name}>
      <td>
        {href ? (
          <a className="fl-Link" href={href} download title={trans.__('Download %1', name)}>
            {name}
          </a>
        ) : (
          name
        )}
      </td>
      <td className="fl-mod-long">{port.type}</td>
      <td className="fl-mod-long">
        {port.kind === 'parameter' ? <code>{valueText(port.value)}</code> : port.format}
      </td>
      <td className="fl-mod-number">{bytes(port.size)}</td>
    </tr>
  );
}
