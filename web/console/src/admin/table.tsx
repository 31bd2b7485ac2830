import { Group, Pagination, Select, Skeleton, Table, Text, TextInput } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, type MouseEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRemembered } from '../lib/use-remembered';
import classes from './admin.module.css';
import { compare } from './compare';

/** One column of a list. */
export interface Column<T> {
  key: string;
  title: string;
  cell(row: T): ReactNode;
  /** What the column sorts by; without it the column does not sort. */
  by?(row: T): string | number;
}

interface Props<T> {
  /** Under which the list's sorting is remembered. */
  name: string;
  label: string;
  rows: readonly T[] | undefined;
  columns: readonly Column<T>[];
  id(row: T): string;
  /** The texts that the search looks through. */
  text(row: T): string;
  searchLabel: string;
  onOpen?(row: T): void;
  /** More filters, beside the search. */
  filters?: ReactNode;
  actions?(row: T): ReactNode;
}

const SIZES = ['25', '50', '100', '250'];

/** A list that sorts, filters and pages. */
export function DataTable<T>(props: Props<T>) {
  const { t } = useTranslation();
  const { rows, columns } = props;
  const [sort, setSort] = useRemembered<{ key: string; down: boolean }>(`sort-${props.name}`, {
    key: columns[0]?.key ?? '',
    down: false,
  });
  const [perPage, setPerPage] = useRemembered('per-page', '50');
  const [search, setSearch] = useState('');
  const [page, setPage] = useState(1);

  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const found = (rows ?? []).filter((row) => {
    const text = props.text(row).toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
  const by = columns.find((c) => c.key === sort.key)?.by;
  if (by) found.sort((a, b) => compare(by(a), by(b)) * (sort.down ? -1 : 1));
  const size = Number(perPage) || 50;
  const pages = Math.max(1, Math.ceil(found.length / size));
  const at = Math.min(page, pages);
  const shown = found.slice((at - 1) * size, at * size);

  function open(event: MouseEvent | KeyboardEvent, row: T) {
    // Buttons, links and menus inside a row have their own say.
    if ((event.target as HTMLElement).closest('a, button, input, [role="menu"]')) return;
    props.onOpen?.(row);
  }

  return (
    <div>
      <Group mb="sm" gap="sm">
        <TextInput
          type="search"
          aria-label={props.searchLabel}
          placeholder={props.searchLabel}
          leftSection={<IconSearch size={16} aria-hidden />}
          w={{ base: '100%', xs: 280 }}
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
            setPage(1);
          }}
        />
        {props.filters}
        <Text size="sm" c="dimmed" ml="auto" role="status">
          {rows === undefined
            ? ''
            : found.length === rows.length
              ? t('admin.rows', { count: rows.length })
              : t('admin.rowsOf', { shown: found.length, count: rows.length })}
        </Text>
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by key */}
      <section className={classes.tableBox} aria-label={props.label} tabIndex={0}>
        <Table verticalSpacing="xs" highlightOnHover={Boolean(props.onOpen)}>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => {
                const sorted = sort.key === column.key;
                const Arrow = sort.down ? IconArrowDown : IconArrowUp;
                return (
                  <Table.Th
                    key={column.key}
                    aria-sort={sorted ? (sort.down ? 'descending' : 'ascending') : undefined}
                  >
                    {column.by ? (
                      <button
                        type="button"
                        className={classes.sort}
                        aria-label={t('admin.sortBy', { column: column.title })}
                        onClick={() => setSort({ key: column.key, down: sorted && !sort.down })}
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
            {rows !== undefined && found.length === 0 && (
              <Table.Tr>
                <Table.Td colSpan={columns.length + 1}>
                  <Text c="dimmed" size="sm" py="sm">
                    {search === '' ? t('admin.empty') : t('common.nothingFound', { query: search })}
                  </Text>
                </Table.Td>
              </Table.Tr>
            )}
            {shown.map((row) => (
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
      {found.length > 25 && (
        <Group mt="sm" justify="space-between">
          <Pagination
            value={at}
            onChange={setPage}
            total={pages}
            size="sm"
            getControlProps={(control) => ({ 'aria-label': t(`admin.${control}`) })}
            getItemProps={(n) => ({ 'aria-label': t('admin.page', { page: n }) })}
          />
          <Select
            aria-label={t('admin.perPage')}
            size="xs"
            w={90}
            data={SIZES}
            value={perPage}
            allowDeselect={false}
            onChange={(value) => setPerPage(value ?? '50')}
          />
        </Group>
      )}
    </div>
  );
}
