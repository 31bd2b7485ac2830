import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** Deep sea blue-green. */
const sea: MantineColorsTuple = [
  '#e9f8fa',
  '#d3eef1',
  '#a6dde3',
  '#75cad4',
  '#4cb9c6',
  '#31aab9',
  '#1a95a5',
  '#0b7685',
  '#085f6c',
  '#034853',
];

/** Greys with a breath of the accent; dark pages are made of them. */
const dark: MantineColorsTuple = [
  '#d8dfe2',
  '#aebbc1',
  '#8d9ba2',
  '#5d6c74',
  '#3b4a52',
  '#2d393f',
  '#232d32',
  '#1a2226',
  '#141b1e',
  '#0f1417',
];

export const theme = createTheme({
  primaryColor: 'sea',
  primaryShade: { light: 7, dark: 7 },
  colors: { sea, dark },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
  headings: { fontWeight: '600' },
  components: {
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Tooltip: { defaultProps: { openDelay: 400, withinPortal: true } },
    Modal: { defaultProps: { centered: true } },
    TextInput: { defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] } },
    NumberInput: {
      defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] },
    },
    Textarea: { defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] } },
    ColorInput: { defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] } },
    FileInput: { defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] } },
    PasswordInput: {
      defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] },
    },
  },
});

/** Mantine's greys and reds for small text miss the 4.5 : 1 of WCAG AA; these reach it. */
export const cssVariables: CSSVariablesResolver = (theme) => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#55606a',
    '--mantine-color-placeholder': '#6c757d',
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-body': '#ffffff',
    '--porthole-ground': '#f4f7f8',
    '--porthole-line': '#dde4e7',
    '--porthole-active': theme.colors.sea?.[0] ?? '',
    '--porthole-sea-near': '#c3e4e9',
    '--porthole-sea-far': '#dcf0f3',
    '--mantine-color-anchor': theme.colors.sea?.[8] ?? '',
  },
  dark: {
    '--mantine-color-dimmed': '#aebbc1',
    '--mantine-color-placeholder': '#98a2a8',
    '--mantine-color-error': '#ff8787',
    '--porthole-ground': '#12181b',
    '--porthole-line': '#2d393f',
    '--porthole-active': '#17363c',
    '--porthole-sea-near': '#0b3b44',
    '--porthole-sea-far': '#0c2a31',
    '--mantine-color-anchor': theme.colors.sea?.[3] ?? '',
  },
});
