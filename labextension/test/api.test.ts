import { ServerConnection } from '@jupyterlab/services';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { FairleadClient } from '../src/api/client';
import { ApiError, ServerMissingError } from '../src/api/errors';
import { FairleadFeed } from '../src/api/feed';

type Fetch = ServerConnection.ISettings['fetch'];

function clientOf(answer: () => Promise<Response>): {
  client: FairleadClient;
  fetch: ReturnType<typeof vi.fn>;
} {
  const fetch = vi.fn(answer);
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://host/base/',
    fetch: fetch as unknown as Fetch,
    // Node's own does not take jsdom's signals.
    Request: class {
      readonly headers = new Headers();
      constructor(
        readonly url: string,
        readonly init: RequestInit
      ) {}
    } as unknown as typeof Request
  });
  return { client: new FairleadClient(settings), fetch };
}

const json = (body: unknown, status = 200): Promise<Response> =>
  Promise.resolve(
    new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
  );

const failure = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

describe('the client', () => {
  test('names are escaped in addresses', async () => {
    const { client, fetch } = clientOf(() => json({ id: 'a/b' }));
    await client.run('a/b');
    const request = fetch.mock.calls[0][0] as { url: string };
    expect(request.url.split('?')[0]).toBe('http://host/base/fairlead/api/v1/runs/a%2Fb');
    expect(client.artifactUrl('r', 'step one', 'model')).toBe(
      'http://host/base/fairlead/api/v1/runs/r/nodes/step%20one/artifacts/model'
    );
  });

  test('another context is used by name, and the answer is what is in use then', async () => {
    const { client, fetch } = clientOf(() => json({ context: 'cluster', namespace: 'team' }));
    expect(await client.use('cluster')).toEqual({ context: 'cluster', namespace: 'team' });
    const request = fetch.mock.calls[0][0] as { url: string; init: RequestInit };
    expect(request.url.split('?')[0]).toBe('http://host/base/fairlead/api/v1/contexts/current');
    expect([request.init.method, request.init.body]).toEqual(['PUT', '{"context":"cluster"}']);
  });

  test('an error carries message, hint and problems', async () => {
    const words = { severity: 'error', message: 'no', hint: 'do' };
    const problems = [
      { ...words, cell_id: 'c', cell_index: 0, line: 2, name: 'x', path: 'fairlead.after', node: null },
      { ...words, cell_id: '', cell_index: -1, line: 0, name: '', path: '', node: '' }
    ];
    const body = { message: 'Refused.', hint: 'Change it.', kind: 'NotebookError', problems };
    const { client } = clientOf(() => json(body, 400));
    const error = await failure(client.submit({ path: 'a.ipynb' }));
    const { status, message, hint } = error;
    expect({ status, message, hint, problems: error.problems }).toEqual({
      status: 400,
      message: 'Refused.',
      hint: 'Change it.',
      problems: [
        problems[0],
        { ...words, cell_id: null, cell_index: null, line: null, name: null, path: null, node: null }
      ]
    });
  });

  test('a started run comes with what of its file has no effect', async () => {
    const problem = { severity: 'warning', message: 'no', hint: 'do', name: 'a', path: 'gpu', node: 'A' };
    const given = { ...problem, cell_id: '', cell_index: -1, line: 0 };
    const { client } = clientOf(() => json({ id: 'r', problems: [given] }, 201));
    expect(await client.submit({ path: 'a.pipeline' })).toEqual({
      run: { id: 'r' },
      problems: [{ ...problem, cell_id: null, cell_index: null, line: null }]
    });
  });

  test("a page that nobody serves means that the extension is missing; a run that is not is the run's", async () => {
    const page = clientOf(() => Promise.resolve(new Response('<html>', { status: 404 })));
    expect(await failure(page.client.runs())).toBeInstanceOf(ServerMissingError);
    const run = clientOf(() => json({ message: 'No run.', hint: '', kind: 'NotFoundError' }, 404));
    const error = await failure(run.client.run('x'));
    expect(error).not.toBeInstanceOf(ServerMissingError);
    expect([error.status, error.message]).toEqual([404, 'No run.']);
  });

  test('a server that does not answer is an error with status 0', async () => {
    const { client } = clientOf(() => Promise.reject(new TypeError('refused')));
    expect((await failure(client.runs())).status).toBe(0);
  });

  test('an answer without words still says what came', async () => {
    const { client } = clientOf(() =>
      Promise.resolve(new Response('oops', { status: 502, statusText: 'Bad Gateway' }))
    );
    expect((await failure(client.runs())).message).toBe('502 Bad Gateway');
  });

  test('a notebook that is not there yet is null', async () => {
    const { client } = clientOf(() => json({ message: 'No artifact.', kind: 'NotFoundError' }, 404));
    expect(await client.notebook('r', 'n')).toBeNull();
  });

  test('a log comes in pieces, also in the middle of a letter', async () => {
    const bytes = new TextEncoder().encode('süß\nend');
    const { client } = clientOf(() => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(bytes.slice(0, 2));
          controller.enqueue(bytes.slice(2));
          controller.close();
        }
      });
      return Promise.resolve(new Response(body));
    });
    const texts: string[] = [];
    const { signal } = new AbortController();
    await client.log('r', 'n', { follow: true, signal, onText: text => void texts.push(text) });
    expect(texts).toEqual(['s', 'üß\nend']);
  });

  test('an aborted log is not an error', async () => {
    const abort = new AbortController();
    abort.abort();
    const { client } = clientOf(() => Promise.reject(new DOMException('aborted', 'AbortError')));
    await client.log('r', 'n', { follow: true, signal: abort.signal, onText: () => undefined });
  });
});

class FakeSocket {
  static all: FakeSocket[] = [];
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  onopen: (() => void) | null = null;
  readonly sent: unknown[] = [];
  closed = false;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  tell(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  close(): void {
    this.closed = true;
    this.onclose?.();
  }
}

describe('the feed', () => {
  const feed = (): FairleadFeed => {
    FakeSocket.all = [];
    return new FairleadFeed(
      ServerConnection.makeSettings({
        wsUrl: 'ws://host/base/',
        WebSocket: FakeSocket as unknown as typeof WebSocket
      })
    );
  };
  afterEach(() => void vi.useRealTimers());

  test('one socket for all topics, from the first subscription to the last', () => {
    const made = feed();
    const told: unknown[] = [];
    expect(FakeSocket.all).toEqual([]);
    const runs = made.subscribe({ topic: 'runs' }, message => void told.push(['runs', message]));
    const [socket] = FakeSocket.all;
    expect(socket.url.split('?')[0]).toBe('ws://host/base/fairlead/api/v1/watch');
    socket.onopen?.();
    const pods = made.subscribe({ topic: 'objects', api_version: 'v1', kind: 'Pod' }, message => {
      told.push(['pods', message]);
    });
    expect(socket.sent).toEqual([
      { subscribe: 1, topic: 'runs' },
      { subscribe: 2, topic: 'objects', api_version: 'v1', kind: 'Pod' }
    ]);
    socket.tell({ id: 2, health: 'ok' });
    socket.tell({ id: 9, health: 'ok' });
    expect(told).toEqual([['pods', { id: 2, health: 'ok' }]]);
    pods.dispose();
    pods.dispose();
    expect(socket.sent.at(-1)).toEqual({ unsubscribe: 2 });
    expect(FakeSocket.all.length).toBe(1);
    runs.dispose();
    expect(socket.closed).toBe(true);
    expect(made.connected).toBe(false);
  });

  test('a broken socket is opened again after a pause that grows, and everything is asked anew', () => {
    vi.useFakeTimers();
    const made = feed();
    const states: boolean[] = [];
    made.connectionChanged.connect((_, connected) => void states.push(connected));
    made.subscribe({ topic: 'runs' }, () => undefined);
    FakeSocket.all[0].onopen?.();
    FakeSocket.all[0].close();
    expect([made.connected, states]).toEqual([false, [true, false]]);
    vi.advanceTimersByTime(600);
    expect(FakeSocket.all.length).toBe(2);
    FakeSocket.all[1].close();
    vi.advanceTimersByTime(600);
    expect(FakeSocket.all.length).toBe(2);
    vi.advanceTimersByTime(600);
    FakeSocket.all[2].onopen?.();
    expect(FakeSocket.all[2].sent).toEqual([{ subscribe: 1, topic: 'runs' }]);
    made.dispose();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all.length).toBe(3);
  });

  test('what was refused is asked for again on demand, and nothing else is', () => {
    const made = feed();
    made.subscribe({ topic: 'context' }, () => undefined);
    made.subscribe({ topic: 'runs' }, () => undefined);
    const [socket] = FakeSocket.all;
    socket.onopen?.();
    socket.tell({ id: 1, error: 'No context.', hint: '' });
    socket.tell({ id: 2, health: 'ok' });
    socket.sent.length = 0;
    made.retry();
    made.retry();
    expect(socket.sent).toEqual([{ subscribe: 1, topic: 'context' }]);
  });

  test('a reader who asks for it need not wait for the pause', () => {
    vi.useFakeTimers();
    const made = feed();
    made.retry();
    expect(FakeSocket.all).toEqual([]);
    made.subscribe({ topic: 'runs' }, () => undefined);
    FakeSocket.all[0].close();
    made.retry();
    expect(FakeSocket.all.length).toBe(2);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all.length).toBe(2);
  });
});
