/** The mark: a porthole with the sea in it. */
export function Logo({ size = 28 }: { size?: number }) {
  return <img src="/porthole.svg" width={size} height={size} alt="" style={{ display: 'block' }} />;
}
