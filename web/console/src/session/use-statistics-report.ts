import { api, type StreamStatistics } from '@porthole/api';
import { between, type CODECS, type Size, type Statistics, type Totals } from '@porthole/viewer';
import { useEffect, useRef } from 'react';
import type { ViewerView } from './use-viewer';

/** How often the figures are taken, and how many of these times they are sent once, in milliseconds. */
const EVERY = 10_000;
const SENT_EACH = 3;

/** Whole numbers within what the server takes. */
function whole(value: number, most: number): number {
  return Math.min(most, Math.max(0, Math.round(value)));
}

/** The figures as the server keeps them. */
export function forServer(statistics: Statistics, size: Size): StreamStatistics {
  const time = (milliseconds: number | undefined) =>
    milliseconds === undefined ? null : whole(milliseconds * 1000, 0xffff_ffff);
  const share = (codec: (typeof CODECS)[number]) => whole(statistics.codecs[codec] * 100, 100);
  return {
    frame_rate: whole(statistics.frameRate, 0xffff),
    dropped: whole(statistics.dropped, 0xffff),
    bit_rate: whole(statistics.bitRate, 0xffff_ffff),
    network: time(statistics.network),
    encode: time(statistics.encode),
    decode: time(statistics.decode),
    draw: time(statistics.draw),
    width: whole(size.width, 0xffff),
    height: whole(size.height, 0xffff),
    codecs: {
      lossless: share('lossless'),
      fill: share('fill'),
      copy: share('copy'),
      jpeg: share('jpeg'),
      video: share('video'),
    },
  };
}

/** Tells the server every half minute, and at the end, how the stream is doing. */
export function useStatisticsReport(id: string, view: ViewerView): void {
  const { viewer } = view;
  const connected = view.state.kind === 'connected';
  const size = useRef(view.size);
  size.current = view.size;
  useEffect(() => {
    if (!viewer || !connected) return;
    let first: Totals | undefined;
    let last: Totals | undefined;
    let taken = 0;
    const send = () => {
      const statistics = first && last ? between(first, last) : undefined;
      first = last;
      // What cannot be told now is told with the next.
      if (statistics && size.current) {
        api.noteStatistics(id, forServer(statistics, size.current)).catch(() => {});
      }
    };
    const take = async () => {
      last = await viewer.totals();
      first ??= last;
      taken += 1;
      if (taken % SENT_EACH === 0) send();
    };
    void take();
    const timer = window.setInterval(() => void take(), EVERY);
    window.addEventListener('pagehide', send);
    return () => {
      window.clearInterval(timer);
      window.removeEventListener('pagehide', send);
      send();
    };
  }, [viewer, connected, id]);
}
