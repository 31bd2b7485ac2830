import { Text } from '@mantine/core';
import type { StreamStatistics } from '@porthole/api';
import { useTranslation } from 'react-i18next';

/** How a session's stream was doing when its viewer last told. */
export function StreamFigures({ statistics }: { statistics: StreamStatistics | null }) {
  const { t, i18n } = useTranslation();
  if (!statistics) return '–';
  const number = (value: number, digits: number) =>
    new Intl.NumberFormat(i18n.language, { maximumFractionDigits: digits }).format(value);
  const time = (microseconds: number | null | undefined) =>
    microseconds == null ? '–' : `${number(microseconds / 1000, 1)} ms`;
  const parts = [
    `${t('statistics.network')} ${time(statistics.network)}`,
    `${t('statistics.encode')} ${time(statistics.encode)}`,
    `${t('statistics.decode')} ${time(statistics.decode)}`,
    `${t('statistics.draw')} ${time(statistics.draw)}`,
    `${t('statistics.dropped')} ${number(statistics.dropped, 0)}/s`,
    `${t('statistics.size')} ${statistics.width} × ${statistics.height}`,
  ];
  return (
    <div title={parts.join('\n')}>
      <Text size="sm">{time(statistics.network)}</Text>
      <Text size="xs" c="dimmed">
        {number(statistics.frame_rate, 0)}/s · {number(statistics.bit_rate / 1e6, 1)} Mbit/s
      </Text>
    </div>
  );
}
