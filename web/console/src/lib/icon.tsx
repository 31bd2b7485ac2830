import { useState } from 'react';

const FALLBACK = '/icons/app.svg';

/** A workspace's icon; a generic one where it cannot be loaded. */
export function WorkspaceIcon({ src, size }: { src?: string | null; size: number }) {
  const [failed, setFailed] = useState<string>();
  const shown = src && src !== failed ? src : FALLBACK;
  return (
    <img
      src={shown}
      alt=""
      width={size}
      height={size}
      style={{ objectFit: 'contain', flexShrink: 0 }}
      onError={() => shown !== FALLBACK && setFailed(shown)}
    />
  );
}
