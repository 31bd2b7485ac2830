import { useCallback, useState } from 'react';
import { recall, remember } from './storage';

/** State that outlives the page, by name. */
export function useRemembered<T>(name: string, fallback: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => recall(name, fallback));
  const set = useCallback(
    (next: T) => {
      setValue(next);
      remember(name, next);
    },
    [name],
  );
  return [value, set];
}
