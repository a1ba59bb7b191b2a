/**
 * "Export Pipeline…": the notebook's pipeline in a form that others take, as a file beside it.
 */
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FairleadClient } from '../api/client';
import { ApiError } from '../api/errors';
import type { ExportFormat } from '../api/runtypes';
import type { IProblem } from '../api/types';
import type { ITrans } from '../components/text';
import { showProblems } from './problems';
import { remark, tellRemarks } from './remarks';

const CONFLICT = 409;

interface IFormat {
  to: ExportFormat;
  label: string;
  caption: string;
  /** What comes after the notebook's name. */
  ending: string;
}

interface IWish {
  to: ExportFormat;
  name: string;
}

function formats(trans: ITrans): IFormat[] {
  return [
    {
      to: 'kfp',
      label: trans.__('Python of kfp'),
      caption: trans.__('A function for each step, to go on with.'),
      ending: '_pipeline.py'
    },
    {
      to: 'ir',
      label: trans.__('Pipeline spec (YAML)'),
      caption: trans.__('What Kubeflow Pipelines runs and takes as an upload.'),
      ending: '.yaml'
    },
    {
      to: 'kustomize',
      label: trans.__('Kustomize folder'),
      caption: trans.__('Manifests for a cluster that is kept in Git.'),
      ending: '-deploy'
    },
    {
      to: 'share',
      label: trans.__('Share file'),
      caption: trans.__('One file that another machine imports and runs: no outputs, secrets or paths.'),
      ending: '.zip'
    }
  ];
}

export function isFormat(value: unknown): value is ExportFormat {
  return value === 'kfp' || value === 'ir' || value === 'kustomize' || value === 'share';
}

/** What is exported: a file, and what an open one needs beside. */
export interface IExported {
  path: string;
  /** What it can be exported to; all by default. */
  to?: readonly ExportFormat[];
  /** Write what is edited into the file. */
  save?: () => Promise<void>;
  reveal?: (problem: IProblem) => Promise<void>;
}

/** Ask what to export to, unless that is given, and write it; its path, or null. */
export async function exportPipeline(
  file: IExported,
  client: FairleadClient,
  trans: ITrans,
  given: Partial<IWish> = {}
): Promise<string | null> {
  const stem = PathExt.basename(file.path, PathExt.extname(file.path));
  const known = formats(trans).filter(one => file.to?.includes(one.to) ?? true);
  let wish: IWish | null;
  if (given.to) {
    const ending = known.find(one => one.to === given.to)?.ending ?? '';
    wish = { to: given.to, name: given.name ?? stem + ending };
  } else {
    wish = await ask(known, stem, trans);
  }
  if (!wish) {
    return null;
  }
  await file.save?.();
  return write({ ...wish, path: file.path }, false, file, client, trans);
}

async function ask(known: IFormat[], stem: string, trans: ITrans): Promise<IWish | null> {
  const answer = await showDialog({
    title: trans.__('Export Pipeline'),
    body: new ExportForm(known, stem, trans),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Export') })],
    focusNodeSelector: 'select'
  });
  return answer.button.accept && answer.value?.name ? answer.value : null;
}

async function write(
  wish: IWish & { path: string },
  overwrite: boolean,
  file: IExported,
  client: FairleadClient,
  trans: ITrans
): Promise<string | null> {
  try {
    const { path, remarks } = await client.exportPipeline({ ...wish, overwrite });
    const done = trans.__('Wrote %1.', path);
    if (remarks.length > 1) {
      tellRemarks({ done, name: PathExt.basename(file.path), problems: remarks.map(remark), trans });
    } else {
      Notification.success([done, ...remarks].join(' '), { autoClose: 8000 });
    }
    return path;
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    if (error.status === CONFLICT && !overwrite) {
      const answer = await showDialog({
        title: trans.__('Overwrite %1?', wish.name),
        body: trans.__('It is there already.'),
        buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Overwrite') })],
        defaultButton: 0
      });
      return answer.button.accept ? write(wish, true, file, client, trans) : null;
    }
    if (error.problems.length) {
      const { problem } = await showProblems(error.problems, trans);
      if (problem) {
        await file.reveal?.(problem);
      }
      return null;
    }
    const failure = trans.__('The pipeline was not exported.');
    Notification.error([failure, error.message, error.hint].filter(Boolean).join(' '), { autoClose: false });
    return null;
  }
}

/** The form: a format, what it is, and the name of the file. */
class ExportForm extends ReactWidget implements Dialog.IBodyWidget<IWish> {
  constructor(
    private readonly formats: readonly IFormat[],
    private readonly stem: string,
    private readonly trans: ITrans
  ) {
    super();
    this.addClass('fl-ExportForm');
    this.addClass('fl-theme');
    this.wish = { to: formats[0].to, name: stem + formats[0].ending };
  }

  getValue(): IWish {
    return { ...this.wish, name: this.wish.name.trim() };
  }

  protected override render(): JSX.Element {
    return (
      <ExportFields
        formats={this.formats}
        stem={this.stem}
        trans={this.trans}
        onChange={wish => {
          this.wish = wish;
        }}
      />
    );
  }

  private wish: IWish;
}

interface IFieldsProps {
  formats: readonly IFormat[];
  stem: string;
  trans: ITrans;
  onChange: (wish: IWish) => void;
}

function ExportFields({ formats, stem, trans, onChange }: IFieldsProps): JSX.Element {
  const [format, setFormat] = React.useState(formats[0]);
  const [name, setName] = React.useState(stem + formats[0].ending);
  React.useEffect(() => onChange({ to: format.to, name }), [format, name]);
  return (
    <>
      <label>
        {trans.__('Format')}
        <select
          className="jp-mod-styled"
          value={format.to}
          data-fl-field="format"
          onChange={event => {
            const chosen = formats.find(one => one.to === event.target.value) ?? formats[0];
            if (name === stem + format.ending) {
              setName(stem + chosen.ending);
            }
            setFormat(chosen);
          }}
        >
          {formats.map(one => (
            <option key={one.to} value={one.to}>
              {one.label}
            </option>
          ))}
        </select>
      </label>
      <p className="fl-ExportForm-caption">{format.caption}</p>
      <label>
        {trans.__('Name, beside the notebook')}
        <input
          className="jp-mod-styled"
          value={name}
          data-fl-field="name"
          onChange={event => setName(event.target.value)}
        />
      </label>
    </>
  );
}
