/**
 * One artifact in the main area: what it is, what it holds, where it comes from and what it led to.
 */
import { downloadIcon } from '@jupyterlab/ui-components';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IArtifactDetail } from '../api/artifacttypes';
import { ArtifactPreview } from '../components/artifact/ArtifactPreview';
import { ILineageVerbs, Lineage } from '../components/artifact/Lineage';
import type { DrawMime } from '../components/artifact/types';
import { bytes, instant } from '../components/format';
import { Message } from '../components/Message';
import type { ITrans } from '../components/text';
import type { ArtifactModel } from '../model/artifacts';
import type { FairleadSession } from '../model/session';

/** What holds its plots in its metadata shows those; the raw numbers are not for reading. */
const PLOTTED = ['confidenceMetrics', 'confusionMatrix', 'evaluationSlices'];

export interface IArtifactViewOptions {
  model: ArtifactModel;
  session: FairleadSession;
  draw: DrawMime;
  trans: ITrans;
  verbs: ILineageVerbs;
  onInsertCode: (artifact: string) => void;
}

export class ArtifactView extends ReactWidget {
  constructor(private readonly options: IArtifactViewOptions) {
    super();
    this.addClass('fl-ArtifactView');
    this.addClass('fl-theme');
    this.node.dataset.flArtifactview = options.model.id;
    this.node.tabIndex = -1;
    options.model.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  get model(): ArtifactModel {
    return this.options.model;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.options.model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.options.model.changed}>{() => <Content {...this.options} />}</UseSignal>;
  }

  private _onChanged(): void {
    const { artifact } = this.options.model;
    this.title.label = artifact?.name || this.options.trans.__('Artifact');
    this.title.caption = artifact ? `${artifact.name}\n${artifact.uri}` : '';
  }
}

function Content(props: IArtifactViewOptions): JSX.Element {
  const { model, trans } = props;
  const { artifact, load } = model;
  const again = { label: trans.__('Try again'), name: 'refresh', run: () => void model.refresh() };
  if (load.kind === 'error' || load.kind === 'gone') {
    const kind = load.kind === 'gone' ? 'empty' : 'error';
    return <Message kind={kind} text={load.message} hint={load.hint} action={again} />;
  }
  if (load.kind === 'missing') {
    const text = trans.__('This Jupyter Server does not run the Fairlead extension.');
    return <Message kind="missing" text={text} action={again} />;
  }
  return artifact ? (
    <Page artifact={artifact} {...props} />
  ) : (
    <Message kind="loading" text={trans.__('Loading…')} />
  );
}

function Page(props: IArtifactViewOptions & { artifact: IArtifactDetail }): JSX.Element {
  const { artifact, session, trans, draw } = props;
  return (
    <div className="fl-ArtifactView-page">
      <header className="fl-ArtifactView-head">
        <h2 className="fl-RunHeader-name">{artifact.name}</h2>
        <span className="fl-ArtifactView-type">{artifact.type}</span>
        <span className="fl-RunHeader-verbs">
          <button
            type="button"
            className="fl-Button"
            data-fl-action="insert-code"
            onClick={() => props.onInsertCode(artifact.id)}
          >
            {trans.__('Insert as code')}
          </button>
          <a
            className="fl-Button"
            data-fl-action="download"
            href={session.client.contentUrl(artifact.id)}
            download
          >
            <downloadIcon.react tag="span" />
            {trans.__('Download')}
          </a>
        </span>
      </header>
      <div className="fl-ArtifactView-body">
        <section className="fl-ArtifactView-part" aria-label={trans.__('Content')}>
          <ArtifactPreview
            name={artifact.name}
            version={artifact.id}
            read={() => session.client.preview(artifact.id)}
            draw={draw}
            trans={trans}
          />
        </section>
        <section className="fl-ArtifactView-part" aria-label={trans.__('Facts')}>
          <Facts artifact={artifact} trans={trans} />
        </section>
        <section className="fl-ArtifactView-part fl-mod-wide" aria-label={trans.__('Lineage')}>
          <h3 className="fl-Table-title">{trans.__('Lineage')}</h3>
          <Lineage
            artifact={artifact.id}
            graph={artifact.graph}
            madeBy={artifact.made_by}
            readBy={artifact.read_by}
            verbs={props.verbs}
            trans={trans}
          />
        </section>
      </div>
    </div>
  );
}

function Facts({ artifact, trans }: { artifact: IArtifactDetail; trans: ITrans }): JSX.Element {
  const metadata = Object.entries(artifact.metadata).filter(([name]) => !PLOTTED.includes(name));
  return (
    <>
      <dl className="fl-Facts">
        <dt>{trans.__('Type')}</dt>
        <dd>{artifact.type}</dd>
        <dt>{trans.__('URI')}</dt>
        <dd>
          <code data-fl-fact="uri">{artifact.uri}</code>
        </dd>
        {artifact.size !== null && (
          <>
            <dt>{trans.__('Size')}</dt>
            <dd title={String(artifact.size)}>{bytes(artifact.size)}</dd>
          </>
        )}
        {artifact.sha256 && (
          <>
            <dt>{trans.__('SHA-256')}</dt>
            <dd>
              <code>{artifact.sha256}</code>
            </dd>
          </>
        )}
        {artifact.created_at && (
          <>
            <dt>{trans.__('Created')}</dt>
            <dd>{instant(artifact.created_at)}</dd>
          </>
        )}
      </dl>
      {metadata.length > 0 && (
        <>
          <h3 className="fl-Table-title">{trans.__('Metadata')}</h3>
          <table className="fl-Table" data-fl-metadata="" aria-label={trans.__('Metadata')}>
            <tbody>
              {metadata.map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td className="fl-mod-long">
                    <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}
