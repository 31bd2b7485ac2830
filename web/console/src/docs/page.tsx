import {
  Alert,
  Anchor,
  Button,
  Code,
  Group,
  Skeleton,
  Stack,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import { api } from '@porthole/api';
import { IconSearch } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';
import { meQuery } from '../lib/queries';
import classes from './docs.module.css';
import {
  type Document,
  type Entry,
  entries,
  resolve,
  type Schema,
  sample,
  typeText,
} from './openapi';

/** The API, to be read and tried. */
export function DocsPage() {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const openapi = useQuery({
    queryKey: ['openapi'],
    queryFn: () => api.openapi() as Promise<Document>,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [search, setSearch] = useState('');
  const document_ = openapi.data;
  const all = useMemo(() => (document_ ? entries(document_) : []), [document_]);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter((entry) => {
    const text = [entry.method, entry.path, entry.summary, entry.description, entry.tag]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const tags = [...new Set(found.map((entry) => entry.tag))];

  useEffect(() => {
    document.title = `${t('docs.title')} · Porthole`;
  }, [t]);

  return (
    <div className={classes.page}>
      <Title order={1} size="h3">
        {document_?.info?.title ?? 'Porthole'} {document_?.info?.version}
      </Title>
      <Text c="dimmed" mb="xs">
        {t('docs.intro')} {t('docs.warning', { name: me.user.username })}
      </Text>
      <Group mb="md" justify="space-between">
        <TextInput
          type="search"
          aria-label={t('docs.search')}
          placeholder={t('docs.search')}
          leftSection={<IconSearch size={16} aria-hidden />}
          w={{ base: '100%', xs: 320 }}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Anchor href="/api/v1/openapi.json" size="sm">
          {t('docs.download')}
        </Anchor>
      </Group>
      {openapi.isPending && <Skeleton height={400} />}
      {openapi.isError && (
        <Alert color="red" role="alert">
          {errorText(openapi.error)}
        </Alert>
      )}
      {document_ && found.length === 0 && (
        <Text c="dimmed">{t('common.nothingFound', { query: search })}</Text>
      )}
      {document_ &&
        tags.map((tag) => (
          <section key={tag} aria-label={tag}>
            <Title order={2} size="h5" mt="md" mb={8}>
              {tag}
            </Title>
            {found
              .filter((entry) => entry.tag === tag)
              .map((entry) => (
                <OperationView
                  key={`${entry.method} ${entry.path}`}
                  document={document_}
                  entry={entry}
                />
              ))}
          </section>
        ))}
      {document_?.components?.schemas && words.length === 0 && (
        <section>
          <Title order={2} size="h5" mt="lg" mb={8}>
            {t('docs.schemas')}
          </Title>
          {Object.entries(document_.components.schemas).map(([name, schema]) => (
            <details key={name} className={classes.operation} id={`schema-${name}`}>
              <summary>
                <span className="mono">{name}</span>
              </summary>
              <div className={classes.body}>
                {schema.description && <Text size="sm">{schema.description}</Text>}
                <SchemaTable schema={schema} />
              </div>
            </details>
          ))}
        </section>
      )}
    </div>
  );
}

function SchemaTable({ schema }: { schema: Schema | undefined }) {
  const { t } = useTranslation();
  const properties = Object.entries(schema?.properties ?? {});
  if (properties.length === 0) return <span className="mono">{typeText(schema)}</span>;
  return (
    <table>
      <tbody>
        {properties.map(([name, property]) => (
          <tr key={name}>
            <td className="mono">
              {name}
              {schema?.required?.includes(name) ? ` (${t('docs.required')})` : ''}
            </td>
            <td className="mono">{typeText(property)}</td>
            <td>{property.description}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function OperationView({ document, entry }: { document: Document; entry: Entry }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const body = entry.requestBody?.content?.['application/json']?.schema;
  return (
    <details
      className={classes.operation}
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <span className={classes.method} data-method={entry.method}>
          {entry.method}
        </span>
        <span className="mono">{entry.path}</span>
        <Text size="sm" c="dimmed" component="span">
          {entry.summary ?? entry.operationId}
        </Text>
      </summary>
      {open && (
        <Stack gap="sm" className={classes.body}>
          {entry.description && (
            <Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>
              {entry.description}
            </Text>
          )}
          {body && (
            <div>
              <Text size="sm" fw={600}>
                {t('docs.body')}: <span className="mono">{typeText(body)}</span>
              </Text>
              <SchemaTable schema={resolve(document, body)} />
            </div>
          )}
          <div>
            <Text size="sm" fw={600}>
              {t('docs.responses')}
            </Text>
            <table>
              <tbody>
                {Object.entries(entry.responses ?? {}).map(([status, response]) => (
                  <tr key={status}>
                    <td className="mono">{status}</td>
                    <td>{response.description}</td>
                    <td className="mono">
                      {Object.values(response.content ?? {})
                        .map((c) => typeText(c.schema))
                        .join(', ')}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <TryIt document={document} entry={entry} body={body} />
        </Stack>
      )}
    </details>
  );
}

function TryIt(props: { document: Document; entry: Entry; body: Schema | undefined }) {
  const { t } = useTranslation();
  const { entry, body } = props;
  const parameters = (entry.parameters ?? []).filter((p) => p.in === 'path' || p.in === 'query');
  const [values, setValues] = useState<Record<string, string>>({});
  const [text, setText] = useState(() =>
    body ? JSON.stringify(sample(props.document, body), null, 2) : '',
  );
  const [answer, setAnswer] = useState<{ head: string; text: string }>();
  const [busy, setBusy] = useState(false);

  async function send() {
    let path = entry.path;
    const query = new URLSearchParams();
    for (const parameter of parameters) {
      const value = values[parameter.name] ?? '';
      if (parameter.in === 'path') {
        path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
      } else if (value !== '') query.set(parameter.name, value);
    }
    if (body && text.trim() !== '') {
      try {
        JSON.parse(text);
      } catch (error) {
        setAnswer({
          head: '',
          text: t('docs.badJson', { message: error instanceof Error ? error.message : '' }),
        });
        return;
      }
    }
    setBusy(true);
    // A stream of events has no end to wait for.
    const ending = AbortSignal.timeout(20_000);
    try {
      const response = await fetch(`${path}${query.size > 0 ? `?${query}` : ''}`, {
        method: entry.method.toUpperCase(),
        headers: body && text.trim() !== '' ? { 'content-type': 'application/json' } : {},
        body: body && text.trim() !== '' ? text : undefined,
        signal: ending,
      });
      const type = response.headers.get('content-type') ?? '';
      let shown = `(${type})`;
      if (type.includes('json')) {
        const raw = await response.text();
        try {
          shown = JSON.stringify(JSON.parse(raw), null, 2);
        } catch {
          shown = raw;
        }
      } else if (type.startsWith('text/') && !type.includes('event-stream')) {
        shown = await response.text();
      }
      setAnswer({ head: `${response.status} ${response.statusText}`, text: shown });
    } catch (error) {
      setAnswer({ head: '', text: errorText(error) });
    } finally {
      setBusy(false);
    }
  }

  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>
        {t('docs.tryIt')}
      </Text>
      {parameters.map((parameter) => (
        <TextInput
          key={`${parameter.in} ${parameter.name}`}
          size="xs"
          label={parameter.name}
          description={parameter.description}
          required={parameter.required}
          spellCheck={false}
          value={values[parameter.name] ?? ''}
          onChange={(event) =>
            setValues({ ...values, [parameter.name]: event.currentTarget.value })
          }
        />
      ))}
      {body && (
        <Textarea
          size="xs"
          label={t('docs.body')}
          autosize
          minRows={3}
          maxRows={16}
          spellCheck={false}
          ff="monospace"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      <Group>
        <Button size="xs" loading={busy} onClick={() => void send()}>
          {t('docs.send')}
        </Button>
      </Group>
      {answer && (
        <div role="status">
          {answer.head !== '' && (
            <Text size="sm" fw={600}>
              {t('docs.answer')}: {answer.head}
            </Text>
          )}
          <Code block className={classes.answer} tabIndex={0}>
            {answer.text}
          </Code>
        </div>
      )}
    </Stack>
  );
}
