import { Group, Pagination, Select, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRemembered } from '../lib/use-remembered';
import { compare } from './compare';
import { type Column, Rows, type Sort } from './rows';

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
  const [sort, setSort] = useRemembered<Sort>(`sort-${props.name}`, {
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
      <Rows
        label={props.label}
        rows={rows === undefined ? undefined : shown}
        columns={columns}
        id={props.id}
        empty={search === '' ? t('admin.empty') : t('common.nothingFound', { query: search })}
        sort={sort}
        onSort={setSort}
        onOpen={props.onOpen}
        actions={props.actions}
      />
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
