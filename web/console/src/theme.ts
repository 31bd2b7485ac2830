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

export const theme = createTheme({
  primaryColor: 'sea',
  primaryShade: { light: 7, dark: 7 },
  colors: { sea },
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
    '--mantine-color-anchor': theme.colors.sea?.[8] ?? '',
  },
  dark: {
    '--mantine-color-dimmed': '#aab4ba',
    '--mantine-color-placeholder': '#98a2a8',
    '--mantine-color-error': '#ff8787',
    '--mantine-color-body': '#1b2226',
    '--mantine-color-default': '#232c31',
    '--mantine-color-default-hover': '#2b363c',
    '--mantine-color-default-border': '#3a474e',
    '--porthole-ground': '#12181b',
    '--porthole-line': '#2d383e',
    '--mantine-color-anchor': theme.colors.sea?.[3] ?? '',
  },
});
