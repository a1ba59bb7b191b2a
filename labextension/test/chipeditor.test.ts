import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { ChipEditor, ChipField, ChipTexts } from '../src/components/chipeditor';
import { chipElement } from '../src/components/chip';
import { plainTrans } from '../src/components/text';
import type { IProblem, IStep } from '../src/api/types';
import type { IStepCell } from '../src/model/stepcells';
import { StepEdits } from '../src/model/stepedits';
import { nameTrouble, putText, textErrors, textsOf } from '../src/model/stepform';

const TEXTS: ChipTexts = { name: 'train', after: '', cpu: '', memory: '', gpu: '', packages: '' };

describe('the fields of a chip', () => {
  let changes: [ChipField, string][];
  let closed: boolean[];
  let refusal: string;
  let editor: ChipEditor;
  const input = (field: ChipField): HTMLInputElement =>
    editor.node.querySelector(`[data-fl-field="${field}"] input`)!;
  const type = (field: ChipField, text: string): void => {
    input(field).focus();
    input(field).value = text;
  };
  const press = (field: ChipField, key: string): void =>
    void input(field).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));

  beforeEach(() => {
    [changes, closed, refusal] = [[], [], ''];
    vi.spyOn(document, 'hasFocus').mockReturnValue(true);
    editor = new ChipEditor({
      title: 'train',
      color: 1,
      steps: ['load', 'split'],
      trans: plainTrans,
      onChange: (field, text) => {
        changes.push([field, text]);
        return refusal;
      },
      onMore: () => undefined,
      onClose: back => closed.push(back)
    });
    editor.update(TEXTS, {});
    document.body.append(editor.node);
    editor.focus();
  });
  afterEach(() => editor.node.remove());

  test('each has a name that is read out, in the order of the tabulator', () => {
    const names = [...editor.node.querySelectorAll('input')].map(one => one.labels?.[0]?.textContent);
    expect(names).toEqual(['Name', 'After', 'CPU', 'Memory', 'GPU', 'Packages']);
    expect(document.activeElement).toBe(input('name'));
  });

  test('one that is left is taken over, and Enter closes', () => {
    type('cpu', ' 2 ');
    input('cpu').dispatchEvent(new Event('change'));
    type('memory', '4Gi');
    press('memory', 'Enter');
    expect([changes, closed]).toEqual([
      [
        ['cpu', '2'],
        ['memory', '4Gi']
      ],
      [true]
    ]);
  });

  test('Escape leaves what was not yet taken over', () => {
    type('name', 'other');
    press('name', 'Escape');
    expect([changes, closed, input('name').value]).toEqual([[], [true], 'train']);
  });

  test('what is refused stays with its reason', () => {
    refusal = 'Taken.';
    type('name', 'load');
    press('name', 'Enter');
    expect(closed).toEqual([]);
    expect(input('name').getAttribute('aria-invalid')).toBe('true');
    const described = document.getElementById(input('name').getAttribute('aria-describedby')!);
    expect(described?.textContent).toBe('Taken.');
  });

  test('going elsewhere takes over and closes, going on within does not', () => {
    type('packages', 'pandas');
    input('packages').dispatchEvent(
      new FocusEvent('focusout', { bubbles: true, relatedTarget: input('name') })
    );
    expect([changes, closed]).toEqual([[], []]);
    input('packages').dispatchEvent(new FocusEvent('focusout', { bubbles: true }));
    expect([changes, closed]).toEqual([[['packages', 'pandas']], [false]]);
  });

  test('other values come in, but not over what is being typed', () => {
    type('cpu', '2');
    editor.update({ ...TEXTS, cpu: '1', memory: '1Gi' }, { memory: 'No.' });
    expect([input('cpu').value, input('memory').value]).toEqual(['2', '1Gi']);
    expect(editor.node.querySelector('[data-fl-error-of="memory"]')?.textContent).toBe('No.');
  });

  test('steps to wait for are offered after those that are named', () => {
    type('after', 'load, s');
    input('after').dispatchEvent(new Event('input'));
    expect([...editor.node.querySelectorAll('option')].map(one => one.value)).toEqual(['load, split']);
  });
});

test('a chip is edited by a click or F2, and its menu has a name', () => {
  const asked: string[] = [];
  const chip = {
    name: 'a',
    title: 'a',
    reads: [],
    writes: [],
    color: 0,
    state: null,
    cached: false,
    settings: []
  };
  const made = chipElement(chip, plainTrans, {
    onEdit: () => asked.push('edit'),
    onMenu: button => asked.push(button.getAttribute('aria-label') ?? '')
  });
  const [face, menu] = made.querySelectorAll('button');
  face.click();
  face.dispatchEvent(new KeyboardEvent('keydown', { key: 'F2' }));
  menu.click();
  expect(asked).toEqual(['edit', 'edit', 'More about step a']);
  expect(face.getAttribute('aria-label')).toBe('Edit Step a');
});

describe('texts and metadata', () => {
  const step: IStep = {
    name: 'train',
    title: 'train',
    cell_ids: ['a', 'b'],
    first_cell_index: 0,
    reads: [],
    writes: [],
    after: [],
    depends_on: [],
    color_index: 0
  };
  const cells: IStepCell[] = [
    {
      id: 'a',
      type: 'code',
      source: '',
      tags: ['step:train', 'after:load'],
      fairlead: { resources: { cpu: 2, 'amd.com/gpu': '1' }, packages: ['pandas>=2,<3', 'numpy'] }
    },
    { id: 'b', type: 'code', source: '', tags: [], fairlead: { after: 'split' } }
  ];
  const put = (field: ChipField, text: string): object => {
    const edits = new StepEdits(cells, [step]);
    putText(edits, cells, step, field, text);
    return edits.changes.map(({ tags, fairlead }) => ({ tags, fairlead }))[0];
  };

  test('what cells say stands in the fields', () => {
    expect(textsOf(cells, step)).toEqual({
      name: 'train',
      after: 'load, split',
      cpu: '2',
      memory: '',
      gpu: '1',
      packages: 'pandas>=2,<3 numpy'
    });
  });

  test.each<[ChipField, string, object]>([
    ['memory', '4Gi', { resources: { cpu: '2', 'amd.com/gpu': '1', memory: '4Gi' } }],
    ['gpu', '2', { resources: { cpu: '2', 'amd.com/gpu': '2' } }],
    ['cpu', '', { resources: { 'amd.com/gpu': '1' } }],
    ['packages', 'numpy, pandas >= 2, < 3', { packages: ['numpy', 'pandas >= 2, < 3'] }]
  ])('%s: "%s"', (field, text, expected) => {
    expect(put(field, text)).toEqual({
      tags: ['step:train', 'after:load'],
      fairlead: { ...cells[0].fairlead, ...expected }
    });
  });

  test('nothing is left of what is emptied', () => {
    expect(put('packages', ' ')).toEqual({
      tags: ['step:train', 'after:load'],
      fairlead: { resources: cells[0].fairlead.resources }
    });
  });

  test('a problem stands at the field whose setting it names', () => {
    const problem = (path: string | null, cell_id = 'a'): IProblem => ({
      severity: 'error',
      cell_id,
      cell_index: 0,
      line: null,
      name: null,
      message: `${path}.`,
      hint: 'Do.',
      path,
      node: null
    });
    const paths = ['fairlead.resources.nvidia.com/gpu', 'fairlead.packages[1]', 'fairlead.retries', null];
    const problems = [...paths.map(path => problem(path)), problem('fairlead.after', 'other')];
    expect(textErrors(problems, step)).toEqual({
      gpu: 'fairlead.resources.nvidia.com/gpu. Do.',
      packages: 'fairlead.packages[1]. Do.'
    });
  });

  test("a name needs letters, and is no other step's", () => {
    const other = { ...step, name: 'load-it' };
    expect(['', '--', 'Load it', 'train', 'fit'].map(text => nameTrouble(text, [step, other], step))).toEqual(
      ['empty', 'empty', 'taken', null, null]
    );
  });
});
