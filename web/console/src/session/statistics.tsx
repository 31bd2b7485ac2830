import { CODECS, type Codec, type Statistics } from '@porthole/viewer';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './session.module.css';
import { useStatistics } from './use-statistics';
import type { ViewerView } from './use-viewer';

/** How long a round trip counts after it was measured: they are rarer than the figures. */
const NETWORK_FOR = 5;

/** What the connection does, in a corner over the desktop. */
export function StatisticsOverlay({ view }: { view: ViewerView }) {
  const { t, i18n } = useTranslation();
  const statistics = useStatistics(view.viewer);
  const network = useLast(statistics, (some) => some.network, NETWORK_FOR);
  if (!statistics) return null;
  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(i18n.language, { maximumFractionDigits: digits }).format(value);
  const time = (value: number | undefined) =>
    value === undefined ? '–' : `${number(value, value < 10 ? 1 : 0)} ms`;
  const rate = (bits: number) =>
    bits >= 1e6 ? `${number(bits / 1e6, 1)} Mbit/s` : `${number(bits / 1e3)} kbit/s`;
  const part = (codec: Codec) => ({ codec, share: Math.round(statistics.codecs[codec] * 100) });
  const codecs = CODECS.map(part).filter(({ share }) => share > 0);
  const lines: [string, string][] = [
    [t('statistics.frameRate'), `${number(statistics.frameRate)}/s`],
    [t('statistics.bitRate'), rate(statistics.bitRate)],
    [t('statistics.network'), time(network)],
    [t('statistics.encode'), time(statistics.encode)],
    [t('statistics.decode'), time(statistics.decode)],
    [t('statistics.draw'), time(statistics.draw)],
    [t('statistics.dropped'), `${number(statistics.dropped)}/s`],
    [t('statistics.size'), view.size ? `${view.size.width} × ${view.size.height}` : '–'],
  ];
  return (
    <section className={classes.statistics} aria-label={t('panel.statistics')} data-statistics>
      <dl>
        {lines.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p>
        {codecs.length === 0
          ? t('statistics.still')
          : codecs
              .map(({ codec, share }) => `${t(`statistics.codec.${codec}`)} ${share} %`)
              .join(' · ')}
      </p>
    </section>
  );
}

/** The last known value, as long as not more than so many sets of figures lacked it. */
function useLast(
  statistics: Statistics | undefined,
  read: (statistics: Statistics) => number | undefined,
  most: number,
): number | undefined {
  const last = useRef<{ of: Statistics | undefined; value: number | undefined; since: number }>({
    of: undefined,
    value: undefined,
    since: 0,
  });
  if (last.current.of !== statistics) {
    const value = statistics && read(statistics);
    const since = value === undefined ? last.current.since + 1 : 0;
    const kept = since > most ? undefined : last.current.value;
    last.current = { of: statistics, value: value ?? kept, since };
  }
  return last.current.value;
}
