import { Skeleton, Table, Text } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import type { MouseEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './admin.module.css';

/** One column of a list. */
export interface Column<T> {
  key: string;
  title: string;
  cell(row: T): ReactNode;
  /** What the column sorts by; without it the column does not sort. */
  by?(row: T): string | number;
}

export interface Sort {
  key: string;
  down: boolean;
}

interface Props<T> {
  label: string;
  /** Undefined until they are there. */
  rows: readonly T[] | undefined;
  columns: readonly Column<T>[];
  id(row: T): string;
  /** Said where there is no row. */
  empty: string;
  sort?: Sort;
  onSort?(sort: Sort): void;
  onOpen?(row: T): void;
  actions?(row: T): ReactNode;
}

/** The rows of a list: a table, on a narrow screen a card for each. */
export function Rows<T>(props: Props<T>) {
  const { t } = useTranslation();
  const { rows, columns, sort } = props;

  function open(event: MouseEvent, row: T) {
    // Buttons, links and menus inside a row have their own say.
    if ((event.target as HTMLElement).closest('a, button, input, [role="menu"]')) return;
    props.onOpen?.(row);
  }

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by key
    <section className={classes.tableBox} aria-label={props.label} tabIndex={0}>
      <Table verticalSpacing="xs" highlightOnHover={Boolean(props.onOpen)}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => {
              const sorted = sort?.key === column.key;
              const Arrow = sort?.down ? IconArrowDown : IconArrowUp;
              return (
                <Table.Th
                  key={column.key}
                  aria-sort={sorted ? (sort?.down ? 'descending' : 'ascending') : undefined}
                >
                  {column.by ? (
                    <button
                      type="button"
                      className={classes.sort}
                      aria-label={t('admin.sortBy', { column: column.title })}
                      onClick={() =>
                        props.onSort?.({ key: column.key, down: sorted && !sort?.down })
                      }
                    >
                      {column.title}
                      {sorted && <Arrow size={14} aria-hidden />}
                    </button>
                  ) : (
                    column.title
                  )}
                </Table.Th>
              );
            })}
            {props.actions && (
              <Table.Th>
                <span className="visually-hidden">{t('common.actions')}</span>
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows === undefined &&
            [1, 2, 3].map((n) => (
              <Table.Tr key={n}>
                <Table.Td colSpan={columns.length + 1}>
                  <Skeleton height={22} />
                </Table.Td>
              </Table.Tr>
            ))}
          {rows !== undefined && rows.length === 0 && (
            <Table.Tr>
              <Table.Td colSpan={columns.length + 1}>
                <Text c="dimmed" size="sm" py="sm">
                  {props.empty}
                </Text>
              </Table.Td>
            </Table.Tr>
          )}
          {rows?.map((row) => (
            <Table.Tr
              key={props.id(row)}
              className={classes.row}
              data-row={props.id(row)}
              data-link={props.onOpen ? true : undefined}
              onClick={(event) => open(event, row)}
            >
              {columns.map((column) => (
                <Table.Td key={column.key} data-title={column.title}>
                  {column.cell(row)}
                </Table.Td>
              ))}
              {props.actions && (
                <Table.Td data-title="" ta="right">
                  {props.actions(row)}
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
