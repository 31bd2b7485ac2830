import { SegmentedControl, Text } from '@mantine/core';
import { useId } from 'react';

interface Props<T extends string> {
  label: string;
  /** The label is for those who do not see the page. */
  labelHidden?: boolean;
  value: T;
  options: readonly { readonly value: T; readonly label: string }[];
  onChange(value: T): void;
  orientation?: 'horizontal' | 'vertical';
  /** What the chosen one means. */
  hint?: string;
}

/** One of a few, all in sight. */
export function Choice<T extends string>(props: Props<T>) {
  const id = useId();
  return (
    <>
      <Text
        {...{ id, size: 'xs', c: 'dimmed' }}
        className={props.labelHidden ? 'visually-hidden' : undefined}
      >
        {props.label}
      </Text>
      <SegmentedControl
        size="xs"
        fullWidth
        orientation={props.orientation}
        aria-labelledby={id}
        value={props.value}
        onChange={(value) => props.onChange(value as T)}
        data={[...props.options]}
      />
      {props.hint && (
        <Text size="xs" c="dimmed">
          {props.hint}
        </Text>
      )}
    </>
  );
}
