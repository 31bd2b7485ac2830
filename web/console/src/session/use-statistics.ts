import { between, type Statistics, type Totals, type Viewer } from '@porthole/viewer';
import { useEffect, useState } from 'react';

/** How often the figures are taken, in milliseconds. */
const EVERY = 1_000;

/** How the connection is doing, while somebody looks at it. */
export function useStatistics(viewer: Viewer | undefined): Statistics | undefined {
  const [statistics, setStatistics] = useState<Statistics>();
  useEffect(() => {
    if (!viewer) return;
    let before: Totals | undefined;
    let over = false;
    const take = async () => {
      const now = await viewer.totals();
      if (over) return;
      setStatistics(before && now ? between(before, now) : undefined);
      before = now;
    };
    void take();
    const timer = window.setInterval(() => void take(), EVERY);
    return () => {
      over = true;
      window.clearInterval(timer);
    };
  }, [viewer]);
  return statistics;
}
