/**
 * What a form will send.
 */
import { Clipboard } from '@jupyterlab/apputils';
import * as React from 'react';

import type { IRequestText } from '../api/runtypes';
import { TabBar } from '../components/Tabs';
import type { ITrans } from '../components/text';
import type { Highlight } from './notebookview';

type Form = 'yaml' | 'python';

/** Longer requests are shown without colours, which would take seconds. */
const MOST_COLOURED = 50_000;

/** The request as YAML and as Python, to read and to copy. */
export function RequestView(props: {
  preview: IRequestText | null;
  /** The form has errors: what is shown is older than it. */
  stale: boolean;
  highlight: Highlight;
  trans: ITrans;
}): JSX.Element {
  const { preview, trans } = props;
  const [form, setForm] = React.useState<Form>('yaml');
  const id = `fl-request-${React.useId()}`;
  const [copied, setCopied] = React.useState(false);
  const host = React.useRef<HTMLPreElement>(null);
  const text = preview?.[form] ?? '';
  React.useEffect(() => {
    setCopied(false);
    if (host.current) {
      host.current.textContent = text;
      if (text.length < MOST_COLOURED) {
        props.highlight(text, form === 'yaml' ? 'yaml' : 'python', host.current);
      }
    }
  }, [text, form]);
  return (
    <section className="fl-Request" aria-label={trans.__('The request')} data-fl-stale={props.stale}>
      <div className="fl-Request-head">
        <TabBar
          tabs={[
            { name: 'yaml', label: 'YAML' },
            { name: 'python', label: 'Python' }
          ]}
          current={form}
          id={id}
          label={trans.__('The request as')}
          onChange={name => setForm(name as Form)}
        />
        <button
          type="button"
          className="fl-Link"
          data-fl-action="copy"
          disabled={!text}
          onClick={() => {
            Clipboard.copyToSystem(text);
            setCopied(true);
          }}
        >
          <span role="status">{copied ? trans.__('Copied') : trans.__('Copy')}</span>
        </button>
      </div>
      <pre
        className="fl-Manifest"
        role="tabpanel"
        id={`${id}-panel-${form}`}
        aria-labelledby={`${id}-tab-${form}`}
        data-fl-request={form}
        ref={host}
        tabIndex={0}
      />
    </section>
  );
}
