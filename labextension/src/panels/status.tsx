/**
 * Status bar: how many runs there are under way.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { StateIcon } from '../components/StateIcon';
import type { ITrans } from '../components/text';
import type { RunsModel } from '../model/runs';

export class RunsStatus extends ReactWidget {
  constructor(
    private readonly runs: RunsModel,
    private readonly trans: ITrans,
    private readonly onOpen: () => void
  ) {
    super();
    this.addClass('fl-Status');
    this.addClass('fl-theme');
  }

  protected override render(): JSX.Element {
    const { runs, trans, onOpen } = this;
    return (
      <UseSignal signal={runs.changed}>
        {() => (
          <button type="button" className="fl-Status-button" data-fl-status={runs.active} onClick={onOpen}>
            <StateIcon state="RUNNING" trans={trans} silent />
            {trans._n('%1 run', '%1 runs', runs.active)}
          </button>
        )}
      </UseSignal>
    );
  }
}
