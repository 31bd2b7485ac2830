import { CODEC_COLOURS, CODECS, type Statistics } from '@porthole/viewer';
import { IconCheck } from '@tabler/icons-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './session.module.css';
import { useStatistics } from './use-statistics';
import type { ViewerView } from './use-viewer';

/** How long a round trip counts after it was measured: they are rarer than the figures. */
const NETWORK_FOR = 5;

interface Props {
  view: ViewerView;
  /** Outlines over the desktop show how its areas are coded. */
  outlines: boolean;
  onOutlines(on: boolean): void;
}

/** What the connection does, in a corner over the desktop. */
export function StatisticsOverlay({ view, outlines, onOutlines }: Props) {
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
  // All of them where they explain the colours.
  const codecs = CODECS.filter((codec) => outlines || statistics.codecs[codec] > 0);
  const area = (pixels: number) =>
    pixels >= 1e5 ? `${number(pixels / 1e6, 1)} MP/s` : `${number(pixels / 1e3)} kP/s`;
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
      <h2>{t('statistics.coding')}</h2>
      {codecs.length === 0 && <p>{t('statistics.still')}</p>}
      <dl data-codecs>
        {codecs.map((codec) => (
          <div key={codec}>
            <dt>
              {outlines && (
                <span className={classes.swatch} style={{ background: CODEC_COLOURS[codec] }} />
              )}
              {t(`statistics.codec.${codec}`)}
            </dt>
            <dd>
              {`${number(statistics.codecs[codec] * 100)} % · `}
              {area(statistics.codecs[codec] * statistics.pixelRate)}
            </dd>
          </div>
        ))}
      </dl>
      <button
        type="button"
        role="switch"
        aria-checked={outlines}
        // The keyboard stays with the desktop.
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => onOutlines(!outlines)}
      >
        <span className={classes.tick}>{outlines && <IconCheck size={11} aria-hidden />}</span>
        {t('statistics.outlines')}
      </button>
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
