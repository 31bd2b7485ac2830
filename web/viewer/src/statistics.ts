/** What a connection has done, and from two such counts how it is doing. */

/** How pixels came. */
export const CODECS = ['lossless', 'fill', 'copy', 'jpeg', 'video'] as const;
export type Codec = (typeof CODECS)[number];

/** A colour for each, told apart by the colour-blind too (Okabe and Ito's palette). */
export const CODEC_COLOURS: Readonly<Record<Codec, string>> = {
  lossless: '#56b4e9',
  fill: '#f0e442',
  copy: '#009e73',
  jpeg: '#e69f00',
  video: '#cc79a7',
};

/** Sums since the connection began; times in milliseconds. */
export interface Totals {
  /** Which connection, and since when it lasts. */
  readonly connection: number;
  readonly age: number;
  readonly bytes: number;
  /** Whole updates that were drawn. */
  readonly updates: number;
  /** Those that another one followed before the screen showed them. */
  readonly dropped: number;
  readonly decoding: number;
  readonly drawing: number;
  /** What the display says that encoding took, and for how many updates it said so. */
  readonly encoding: number;
  readonly encoded: number;
  /** Round trips: all of them together, and how many. */
  readonly roundTrips: number;
  readonly pings: number;
  readonly pixels: Readonly<Record<Codec, number>>;
}

/** What a time was like. */
export interface Statistics {
  /** How long it was, in milliseconds. */
  readonly over: number;
  /** Updates a second that the screen showed. */
  readonly frameRate: number;
  /** Bits a second. */
  readonly bitRate: number;
  /** Updates a second that the screen did not show. */
  readonly dropped: number;
  /** Means, in milliseconds; undefined where there was nothing to measure. */
  readonly network: number | undefined;
  readonly encode: number | undefined;
  readonly decode: number | undefined;
  readonly draw: number | undefined;
  /** Pixels a second that came. */
  readonly pixelRate: number;
  /** Parts of all pixels that came, by how they came; they add up to 1, or are all 0. */
  readonly codecs: Readonly<Record<Codec, number>>;
}

/** What happened between two counts; undefined where they are none of the same connection. */
export function between(before: Totals, after: Totals): Statistics | undefined {
  const over = after.age - before.age;
  if (before.connection !== after.connection || over <= 0) return undefined;
  const of = (name: Exclude<keyof Totals, 'pixels'>) => after[name] - before[name];
  const mean = (sum: number, count: number) => (count > 0 ? sum / count : undefined);
  const updates = of('updates');
  const pixels = CODECS.map((codec) => after.pixels[codec] - before.pixels[codec]);
  const all = pixels.reduce((sum, some) => sum + some, 0);
  const seconds = over / 1000;
  return {
    over,
    frameRate: (updates - of('dropped')) / seconds,
    bitRate: (of('bytes') * 8) / seconds,
    dropped: of('dropped') / seconds,
    network: mean(of('roundTrips'), of('pings')),
    encode: mean(of('encoding'), of('encoded')),
    decode: mean(of('decoding'), updates),
    draw: mean(of('drawing'), updates),
    pixelRate: all / seconds,
    codecs: Object.fromEntries(
      CODECS.map((codec, at) => [codec, all > 0 ? (pixels[at] ?? 0) / all : 0]),
    ) as Record<Codec, number>,
  };
}
