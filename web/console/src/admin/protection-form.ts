/** What is burnt into a session's pixels, as the API has it and as the form has it. */

import type { Protection, Region } from '@porthole/api';

type Watermark = NonNullable<Protection['watermark']>;
type Placement = NonNullable<Watermark['placement']>;
export type Position = Extract<Placement, { kind: 'once' }>['position'];

export const POSITIONS: readonly Position[] = [
  'top_left',
  'top',
  'top_right',
  'left',
  'center',
  'right',
  'bottom_left',
  'bottom',
  'bottom_right',
];

/** The four sides of an area. */
export interface Sides {
  left: string;
  top: string;
  right: string;
  bottom: string;
}

export interface ProtectionValues {
  watermark: 'none' | 'text' | 'picture';
  text: string;
  size: number | string;
  timeZone: string;
  png: string;
  colour: string;
  opacity: number | string;
  angle: number | string;
  place: 'tiled' | Position;
  spacing: number | string;
  blackOut: Sides[];
  /** Whether only an area is shown, and which. */
  onlyShown: boolean;
  shown: Sides;
}

const WHOLE: Sides = { left: '0', top: '0', right: '100%', bottom: '100%' };
/** A strip at the upper edge, to begin with. */
export const FIRST_AREA: Sides = { ...WHOLE, bottom: '40' };

/** The server's names of fields, and where the form has them. The longer ones come first. */
export const PROTECTION_FIELDS: Record<string, string> = {
  'protection.watermark.mark.text': 'protection.text',
  'protection.watermark.mark.size': 'protection.size',
  'protection.watermark.mark.time_zone': 'protection.timeZone',
  'protection.watermark.mark.png': 'protection.png',
  'protection.watermark.placement.spacing': 'protection.spacing',
  'protection.watermark.angle': 'protection.angle',
  'protection.watermark.opacity': 'protection.opacity',
  'protection.watermark.colour': 'protection.colour',
  'protection.black_out': 'protection.blackOut',
  'protection.visible': 'protection.onlyShown',
  protection: 'protection.watermark',
};

/** Whether a text is a side of an area: `120`, `-120` or `25%`. */
export function isEdge(text: string): boolean {
  const number = /^-?(\d{1,5})(%?)$/.exec(text.trim());
  if (!number) return false;
  return number[2] === '%'
    ? !text.includes('-') && Number(number[1]) <= 100
    : Number(number[1]) < 65536;
}

const sidesOf = (region: Region): Sides => ({ ...WHOLE, ...region });

const regionOf = (sides: Sides): Region => ({
  left: sides.left.trim(),
  top: sides.top.trim(),
  right: sides.right.trim(),
  bottom: sides.bottom.trim(),
});

/** The form's values of what the server has. */
export function protectionValues(protection: Protection = {}): ProtectionValues {
  const { watermark, black_out, visible } = protection;
  const mark = watermark?.mark;
  const placement = watermark?.placement;
  const text = mark?.kind === 'text' ? mark : undefined;
  return {
    watermark: mark?.kind ?? 'none',
    text: text?.text ?? '{username}\n%Y-%m-%d %H:%M',
    size: text?.size ?? 24,
    timeZone: text?.time_zone ?? (Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'),
    png: mark?.kind === 'picture' ? mark.png : '',
    colour: watermark?.colour ?? '#808080',
    opacity: watermark?.opacity ?? 25,
    angle: watermark?.angle ?? -30,
    place: placement?.kind === 'once' ? placement.position : 'tiled',
    spacing: placement?.kind === 'tiled' ? placement.spacing : 120,
    blackOut: (black_out ?? []).map(sidesOf),
    onlyShown: Boolean(visible),
    shown: sidesOf(visible ?? WHOLE),
  };
}

/** What the server is told. */
export function protectionOf(values: ProtectionValues): Protection {
  const protection: Protection = {};
  if (values.watermark !== 'none') {
    protection.watermark = {
      mark:
        values.watermark === 'text'
          ? {
              kind: 'text',
              text: values.text,
              size: Number(values.size),
              time_zone: values.timeZone,
            }
          : { kind: 'picture', png: values.png },
      placement:
        values.place === 'tiled'
          ? { kind: 'tiled', spacing: Number(values.spacing) }
          : { kind: 'once', position: values.place },
      angle: Number(values.angle),
      opacity: Number(values.opacity),
      colour: values.colour,
    };
  }
  if (values.blackOut.length > 0) protection.black_out = values.blackOut.map(regionOf);
  if (values.onlyShown) protection.visible = regionOf(values.shown);
  return protection;
}
