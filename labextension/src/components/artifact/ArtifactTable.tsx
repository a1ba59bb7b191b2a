import { downloadIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Age } from '../Elapsed';
import { bytes } from '../format';
import type { ITrans } from '../text';

export interface IArtifactTableRow {
  id: string;
  name: string;
  type: string;
  uri: string;
  size: number | null;
  created_at: string | null;
  maker: { run_id: string; run_name: string; task_name: string; key: string } | null;
}

/** Artifacts, one to a row. One row is in the tab order; arrows go to the others. */
export function ArtifactTable(props: {
  artifacts: readonly IArtifactTableRow[];
  trans: ITrans;
  onOpen: (id: string) => void;
  onOpenRun: (run: string) => void;
  download: (row: IArtifactTableRow) => string;
}): JSX.Element {
  const { artifacts, trans } = props;
  const [current, setCurrent] = React.useState<string | null>(null);
  const stop = artifacts.some(row => row.id === current) ? current : (artifacts[0]?.id ?? null);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const row = (event.target as Element).closest<HTMLElement>('[data-fl-artifact]');
    const next =
      event.key === 'ArrowDown'
        ? row?.nextElementSibling
        : event.key === 'ArrowUp'
          ? row?.previousElementSibling
          : null;
    if (next) {
      next.querySelector<HTMLElement>('[data-fl-action="open-artifact"]')?.focus();
      event.preventDefault();
    }
  };
  return (
    <table className="fl-Table fl-ArtifactTable" aria-label={trans.__('Artifacts')} onKeyDown={onKeyDown}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('Type')}</th>
          <th scope="col">{trans.__('Made by')}</th>
          <th scope="col" className="fl-mod-number">
            {trans.__('Size')}
          </th>
          <th scope="col">{trans.__('Age')}</th>
          <th scope="col">
            <span className="fl-visuallyHidden">{trans.__('Actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {artifacts.map((row, place) => (
          <ArtifactRow
            key={row.id || place}
            row={row}
            inTabOrder={row.id === stop}
            onFocus={() => setCurrent(row.id)}
            {...props}
          />
        ))}
      </tbody>
    </table>
  );
}

function ArtifactRow(props: {
  row: IArtifactTableRow;
  inTabOrder: boolean;
  trans: ITrans;
  onFocus: () => void;
  onOpen: (id: string) => void;
  onOpenRun: (run: string) => void;
  download: (row: IArtifactTableRow) => string;
}): JSX.Element {
  const { row, trans, inTabOrder } = props;
  const { maker } = row;
  const tabIndex = inTabOrder ? 0 : -1;
  return (
    <tr data-fl-artifact={row.id} data-fl-name={row.name} data-fl-type={row.type} onFocus={props.onFocus}>
      <td className="fl-mod-long">
        <button
          type="button"
          className="fl-Link"
          data-fl-action="open-artifact"
          tabIndex={tabIndex}
          disabled={!row.id}
          title={row.uri}
          onClick={() => props.onOpen(row.id)}
        >
          {row.name}
        </button>
        <span className="fl-ArtifactTable-kind"> {row.type}</span>
      </td>
      <td>{row.type}</td>
      <td className="fl-mod-long">
        {maker && (
          <>
            <button
              type="button"
              className="fl-Link"
              data-fl-action="open-artifact-run"
              tabIndex={tabIndex}
              onClick={() => props.onOpenRun(maker.run_id)}
            >
              {maker.run_name}
            </button>
            <span className="fl-ArtifactTable-task"> {maker.task_name}</span>
          </>
        )}
      </td>
      <td className="fl-mod-number">{bytes(row.size)}</td>
      <td>
        <Age className="fl-ArtifactTable-age" from={row.created_at} trans={trans} />
      </td>
      <td className="fl-ArtifactTable-verbs">
        <a
          className="fl-IconLink"
          href={props.download(row)}
          download
          tabIndex={tabIndex}
          aria-label={trans.__('Download %1', row.name)}
          title={trans.__('Download')}
        >
          <downloadIcon.react tag="span" />
        </a>
      </td>
    </tr>
  );
}
