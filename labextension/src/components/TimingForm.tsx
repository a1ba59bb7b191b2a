import * as React from 'react';

import { Labelled } from './Labelled';
import type { ITrans } from './text';
import { IntervalUnit, ITimingValues, MOST_AT_ONCE, presets, timeZones, TimingKind } from './timing';

/** Fields that say when the runs of a schedule are started. */
export function TimingForm(props: {
  values: ITimingValues;
  /** Prefix of the fields' ids. */
  id: string;
  onChange: (values: Partial<ITimingValues>) => void;
  trans: ITrans;
}): JSX.Element {
  const { values, id, onChange, trans } = props;
  const zones = React.useMemo(timeZones, []);
  const text = (name: 'cron' | 'time_zone' | 'count' | 'max_concurrency', more = {}): JSX.Element => (
    <input
      type="text"
      className="fl-Input"
      id={`${id}-${name}`}
      data-fl-input={name}
      spellCheck={false}
      value={values[name]}
      onChange={event => onChange({ [name]: event.target.value })}
      {...more}
    />
  );
  const moment = (name: 'start' | 'end'): JSX.Element => (
    <input
      type="datetime-local"
      className="fl-Input"
      id={`${id}-${name}`}
      data-fl-input={name}
      value={values[name]}
      onChange={event => onChange({ [name]: event.target.value })}
    />
  );
  return (
    <>
      <Labelled id={`${id}-kind`} label={trans.__('Repeat')}>
        <select
          className="fl-Input"
          id={`${id}-kind`}
          data-fl-input="kind"
          value={values.kind}
          onChange={event => onChange({ kind: event.target.value as TimingKind })}
        >
          <option value="cron">{trans.__('at times of the clock (cron)')}</option>
          <option value="every">{trans.__('at an interval')}</option>
        </select>
      </Labelled>
      {values.kind === 'cron' ? (
        <>
          <Labelled
            id={`${id}-cron`}
            label={trans.__('Cron')}
            help={trans.__('Minute, hour, day, month, weekday; with six fields the first is the second.')}
          >
            <div className="fl-Timing-line">
              {text('cron', { className: 'fl-Input fl-Timing-cron' })}
              <select
                className="fl-Input"
                data-fl-input="preset"
                aria-label={trans.__('Often used')}
                value={presets(trans).some(([cron]) => cron === values.cron) ? values.cron : ''}
                onChange={event => event.target.value && onChange({ cron: event.target.value })}
              >
                <option value="">{trans.__('as typed')}</option>
                {presets(trans).map(([cron, label]) => (
                  <option key={cron} value={cron}>
                    {label}
                  </option>
                ))}
              </select>
            </div>
          </Labelled>
          <Labelled
            id={`${id}-time_zone`}
            label={trans.__('Time zone')}
            help={values.time_zone ? '' : trans.__("Empty: the server's, which is mostly UTC.")}
          >
            {text('time_zone', { list: `${id}-zones` })}
            <datalist id={`${id}-zones`}>
              {zones.map(zone => (
                <option key={zone} value={zone} />
              ))}
            </datalist>
          </Labelled>
        </>
      ) : (
        <Labelled id={`${id}-count`} label={trans.__('Every')}>
          <div className="fl-Timing-line">
            {text('count', { inputMode: 'numeric' })}
            <select
              className="fl-Input"
              data-fl-input="unit"
              aria-label={trans.__('Unit')}
              value={values.unit}
              onChange={event => onChange({ unit: event.target.value as IntervalUnit })}
            >
              <option value="s">{trans.__('seconds')}</option>
              <option value="m">{trans.__('minutes')}</option>
              <option value="h">{trans.__('hours')}</option>
            </select>
          </div>
        </Labelled>
      )}
      <div className="fl-Timing-pair">
        <Labelled id={`${id}-start`} label={trans.__('Not before')}>
          {moment('start')}
        </Labelled>
        <Labelled id={`${id}-end`} label={trans.__('Not after')}>
          {moment('end')}
        </Labelled>
      </div>
      <Labelled id={`${id}-max_concurrency`} label={trans.__('Runs at one time')}>
        <input
          type="number"
          min={1}
          max={MOST_AT_ONCE}
          className="fl-Input fl-Timing-number"
          id={`${id}-max_concurrency`}
          data-fl-input="max_concurrency"
          value={values.max_concurrency}
          onChange={event => onChange({ max_concurrency: event.target.value })}
        />
      </Labelled>
      <label className="fl-Timing-check">
        <input
          type="checkbox"
          data-fl-input="catchup"
          checked={values.catchup}
          onChange={event => onChange({ catchup: event.target.checked })}
        />
        {trans.__('Make up for what was missed')}
      </label>
      <p className="fl-FormField-help">
        {values.catchup
          ? trans.__('After a sleep or a stop, each time that was missed is run, one after the other.')
          : trans.__('After a sleep or a stop, only the latest of the times that were missed is run.')}
      </p>
    </>
  );
}
