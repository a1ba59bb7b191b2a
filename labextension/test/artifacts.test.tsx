import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { IArtifactPage, IArtifactRow } from '../src/api/artifacttypes';
import { ArtifactPreview } from '../src/components/artifact/ArtifactPreview';
import { FRAME_POLICY } from '../src/components/artifact/frame';
import { around, ILineageGraph, lineageDag } from '../src/components/artifact/lineagegraph';
import { drawPreview, PLOT_MIME } from '../src/components/artifact/preview';
import type { IPreview, ISlice } from '../src/previews';
import { renderCard } from '../src/components/runcard/card';
import { plainTrans as trans } from '../src/components/text';
import { ArtifactsModel } from '../src/model/artifacts';
import { artifactCode, pythonName, runCode } from '../src/model/code';
import { change, FakeContext, FakeRunFeed, settled, summary } from './helpers';

const SLICE: ISlice = {
  name: '',
  auc: 0.8,
  points: [
    { fpr: 0, tpr: 0, threshold: 1 },
    { fpr: 0.2, tpr: 0.8, threshold: 0.5 },
    { fpr: 1, tpr: 1, threshold: 0 }
  ],
  labels: ['no', 'yes'],
  matrix: [
    [8, 2],
    [1, 9]
  ]
};
const CURVES: IPreview = {
  kind: 'classification',
  truncated: false,
  reason: '',
  slices: [SLICE, { ...SLICE, name: 'young', matrix: [], labels: [] }],
  spec: { mark: 'line' }
};

let host: HTMLElement;
beforeEach(() => {
  host = document.body.appendChild(document.createElement('div'));
});
afterEach(() => host.remove());

const preview = (kind: IPreview['kind'], more: Partial<IPreview> = {}): IPreview => ({
  kind,
  truncated: false,
  reason: '',
  ...more
});
const draw = (shown: IPreview): void => void drawPreview(host, shown, { name: 'it', trans });
const textOf = (selector: string): string[] =>
  [...host.querySelectorAll(selector)].map(one => one.textContent ?? '');

describe('a preview', () => {
  test('draws curves by itself where nobody draws Vega-Lite, and a matrix as a table', () => {
    draw(CURVES);
    expect(host.querySelectorAll('polyline')).toHaveLength(2);
    expect(host.querySelector('[data-fl-plot]')!.getAttribute('aria-label')).toBe(
      'ROC curve: area 0.800; young, area 0.800'
    );
    expect(textOf('.fl-Matrix td')).toEqual(['8', '2', '1', '9']);
    expect(host.querySelector<HTMLElement>('.fl-Matrix td')!.title).toBe('80.0 % of this row');
  });

  test('hands a plot to the front end where it has a renderer, and takes it away again', () => {
    const undone = vi.fn();
    const drawn = vi.fn(() => undone);
    const undo = drawPreview(host, CURVES, { name: 'it', trans, draw: drawn });
    expect(drawn.mock.calls[0].slice(1)).toEqual([PLOT_MIME, CURVES.spec]);
    expect(host.querySelector('polyline')).toBeNull();
    undo();
    expect(undone).toHaveBeenCalledOnce();
    expect(host.childElementCount).toBe(0);
  });

  test('keeps a page of a task in a frame without origin and network', () => {
    draw(preview('html', { text: '<script>1</script>' }));
    const frame = host.querySelector('iframe')!;
    expect(frame.getAttribute('sandbox')).toBe('allow-scripts');
    expect(frame.srcdoc.indexOf(FRAME_POLICY)).toBeLessThan(frame.srcdoc.indexOf('<script>'));
    expect(FRAME_POLICY).toMatch(/^default-src 'none'/);
    expect(FRAME_POLICY).not.toMatch(/connect-src|https?:/);
  });

  test('writes what others wrote as text', () => {
    const evil = '<img src=x onerror=alert(1)>';
    draw(preview('text', { text: evil }));
    draw(preview('markdown', { text: evil }));
    draw(preview('table', { columns: [evil], rows: [[evil]] }));
    draw(preview('metrics', { values: { [evil]: evil } }));
    draw(preview('none', { reason: evil }));
    expect(host.querySelector('img')).toBeNull();
    expect(textOf('pre')).toEqual([evil, evil]);
  });

  test('sets numbers to the right and says that there is more', () => {
    draw(
      preview('table', {
        columns: ['n', 'w'],
        rows: [
          ['1.5', 'x'],
          ['', 'y']
        ],
        truncated: true
      })
    );
    const cells = [...host.querySelectorAll('tbody tr:first-child td')];
    expect(cells.map(cell => cell.className)).toEqual(['fl-mod-number', '']);
    expect(textOf('.fl-Preview-more')).toEqual(['Only the beginning is shown; download it to see the rest.']);
  });
});

describe('the preview of an artifact', () => {
  let root: Root;
  beforeEach(() => {
    (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
    root = createRoot(host);
  });
  afterEach(() => React.act(() => root.unmount()));

  test('is read when it is drawn, and an error can be tried again', async () => {
    const read = vi.fn<() => Promise<IPreview>>();
    read.mockRejectedValueOnce(new Error('Nothing answers.'));
    read.mockResolvedValue(preview('text', { text: 'words' }));
    await React.act(async () => {
      root.render(<ArtifactPreview name="it" version="1" read={read} draw={() => null} trans={trans} />);
      await settled();
    });
    expect(textOf('.fl-Message-text')).toEqual(['Nothing answers.']);
    await React.act(async () => {
      host.querySelector<HTMLElement>('[data-fl-action="reload-preview"]')!.click();
      await settled();
    });
    expect(textOf('pre')).toEqual(['words']);
  });
});

describe('the card of a run', () => {
  test('shows its curves, and draws them again only when they change', () => {
    const run = { id: 'a', name: 'a', state: 'SUCCEEDED', graph: { nodes: [], edges: [] } };
    const card = renderCard(host, run);
    expect(host.querySelector<HTMLElement>('.fl-Card-plots')!.hidden).toBe(true);
    const plots = [{ step: 'train', name: 'roc', preview: CURVES }];
    card.update({ ...run, plots });
    const line = host.querySelector('polyline');
    expect(textOf('figcaption')).toEqual(['roc of train']);
    card.update({ ...run, plots: structuredClone(plots) });
    expect(host.querySelector('polyline')).toBe(line);
    card.destroy();
  });
});

describe('lineage', () => {
  const node = (id: string, kind: 'artifact' | 'task', run = 'r1'): ILineageGraph['nodes'][number] => ({
    id: `${kind}/${id}`,
    ref: id,
    kind,
    name: id,
    type: kind === 'artifact' ? 'Dataset' : 'RUNTIME',
    state: kind === 'task' ? 'SUCCEEDED' : '',
    run_id: kind === 'task' ? run : '',
    run_name: kind === 'task' ? `run ${run}` : ''
  });
  const GRAPH: ILineageGraph = {
    nodes: [node('a', 'artifact'), node('b', 'artifact'), node('t', 'task'), node('u', 'task', 'r2')],
    edges: [
      { source: 'task/t', target: 'artifact/a', names: ['out'] },
      { source: 'artifact/a', target: 'task/u', names: ['in'] },
      { source: 'task/u', target: 'artifact/b', names: ['out'] }
    ],
    more: false
  };

  test('tells sources and uses apart', () => {
    expect(around(GRAPH, 'b').sources.map(one => one.ref)).toEqual(['a']);
    expect(around(GRAPH, 'b').uses).toEqual([]);
    expect(around(GRAPH, 'a').uses.map(one => one.ref)).toEqual(['b']);
  });

  test('names the runs where there are several', () => {
    expect(lineageDag(GRAPH).nodes.map(one => one.name)).toEqual(['a', 'b', 't · run r1', 'u · run r2']);
  });
});

describe('code', () => {
  test('is Python whatever the name is', () => {
    expect(runCode('id')).toBe('import fairlead\n\nrun = fairlead.get_run("id")\nrun');
    expect(artifactCode('id"\n', 'X-train (2)')).toBe(
      'import fairlead\n\nx_train_2 = fairlead.get_artifact("id\\"\\n")\nx_train_2'
    );
    expect(['class', '1st', '', 'fairlead', 'Größe'].map(name => pythonName(name, 'artifact'))).toEqual([
      'artifact',
      'artifact',
      'artifact',
      'artifact',
      'gro_e'
    ]);
  });
});

describe('the list of artifacts', () => {
  const row = (id: string): IArtifactRow => ({
    id,
    name: id,
    type: 'Model',
    uri: '',
    size: null,
    created_at: null,
    maker: null
  });
  const page = (ids: string[], next = ''): IArtifactPage => ({
    artifacts: ids.map(row),
    total_size: 3,
    next_page_token: next,
    reason: ''
  });

  test('goes on page by page, and begins anew with another filter', async () => {
    const artifacts = vi.fn((filter: { name?: string }, token?: string) =>
      Promise.resolve(token ? page(['c']) : filter.name ? page(['b']) : page(['a', 'b'], 'next'))
    );
    const client = { artifacts, artifact: () => Promise.reject(new Error('not asked for')) };
    const feed = new FakeRunFeed();
    const model = new ArtifactsModel(client, feed, new FakeContext());
    await settled();
    await model.more();
    expect(model.artifacts.map(one => one.id)).toEqual(['a', 'b', 'c']);
    expect(model.hasMore).toBe(false);
    model.choose({ name: 'b' });
    await settled();
    expect(model.artifacts.map(one => one.id)).toEqual(['b']);
    feed.runChanged.emit(change(summary('x'), { state: 'RUNNING' }));
    feed.runChanged.emit(change(summary('x'), { state: 'SUCCEEDED' }));
    await settled();
    expect(artifacts).toHaveBeenCalledTimes(4);
    model.dispose();
  });

  test('does not take an answer, or an error, to what is no longer asked for', async () => {
    const answers: { resolve: (page: IArtifactPage) => void; reject: (why: Error) => void }[] = [];
    const artifacts = (): Promise<IArtifactPage> =>
      new Promise((resolve, reject) => answers.push({ resolve, reject }));
    const client = { artifacts, artifact: () => Promise.reject(new Error('not asked for')) };
    const model = new ArtifactsModel(client, new FakeRunFeed(), new FakeContext());
    model.choose({ name: 'b' });
    answers[0].reject(new Error('too late'));
    await vi.waitFor(() => expect(answers.length).toBe(2));
    expect(model.load.kind).toBe('loading');
    answers[1].resolve(page(['b']));
    await settled();
    expect(model.load.kind).toBe('ready');
    expect(model.artifacts.map(one => one.id)).toEqual(['b']);
    model.dispose();
  });
});
