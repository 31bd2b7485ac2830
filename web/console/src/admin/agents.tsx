import {
  Alert,
  Badge,
  Button,
  Code,
  CopyButton,
  Group,
  Modal,
  Paper,
  Progress,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { type Agent, type AgentCreated, api, type Failure } from '@porthole/api';
import { IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { placeErrors, showError, tell } from '../lib/errors';
import { bytes, cores, exact, moment } from '../lib/format';
import { agentsQuery } from '../lib/queries';
import { confirmDelete } from './confirm';
import { PageHead } from './page-head';

/** The container hosts: whether they are there, how full they are, what is wrong. */
export function AgentsPage() {
  const { t } = useTranslation();
  const agents = useQuery(agentsQuery);
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageHead
        title={t('admin.agents')}
        error={agents.error}
        onRetry={() => void agents.refetch()}
        action={
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
            {t('agents.add')}
          </Button>
        }
      />
      {agents.isPending && <Skeleton height={260} radius={12} />}
      {agents.data?.length === 0 && <Text c="dimmed">{t('agents.none')}</Text>}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {agents.data?.map((agent) => (
          <AgentCard key={agent.id} agent={agent} />
        ))}
      </SimpleGrid>
      {adding && <AddAgent onClose={() => setAdding(false)} />}
    </>
  );
}

function Bar(props: { label: string; used: number; all: number; show(value: number): string }) {
  const { t } = useTranslation();
  const share = props.all > 0 ? Math.min(100, (props.used / props.all) * 100) : 0;
  const color = share > 92 ? 'red.8' : share > 75 ? 'yellow.7' : 'sea';
  return (
    <div>
      <Group justify="space-between" gap={4}>
        <Text size="xs" c="dimmed">
          {props.label}
        </Text>
        <Text size="xs">
          {t('agents.reservedOf', { used: props.show(props.used), all: props.show(props.all) })}
        </Text>
      </Group>
      <Progress value={share} color={color} size="sm" aria-label={props.label} />
    </div>
  );
}

function Trouble({ failure }: { failure: Failure }) {
  return (
    <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
      {failure.what} ({failure.part}). {failure.advice}
    </Text>
  );
}

function AgentCard({ agent }: { agent: Agent }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const changed = () => client.invalidateQueries({ queryKey: ['agents'] });

  function setEnabled(enabled: boolean) {
    api.updateAgent(agent.id, { enabled }).then(() => {
      void changed();
      tell(t('common.saved'));
    }, showError);
  }

  function remove() {
    confirmDelete({
      title: t('agents.removeTitle', { name: agent.name }),
      text: t('agents.removeText'),
      confirm: t('agents.remove'),
      instead: agent.enabled
        ? { label: t('agents.disable'), onChoose: () => setEnabled(false) }
        : undefined,
      onConfirm: () => {
        api.deleteAgent(agent.id).then(() => {
          void changed();
          tell(t('common.deleted'));
        }, showError);
      },
    });
  }

  return (
    <Paper withBorder p="md" radius={12} component="article" data-agent={agent.id}>
      <Group justify="space-between" align="flex-start" mb="xs">
        <div style={{ minWidth: 0 }}>
          <Title order={2} size="h5" style={{ overflowWrap: 'anywhere' }}>
            {agent.name}
          </Title>
          <Text size="xs" c="dimmed">
            {[
              agent.hostname,
              agent.engine && t('agents.engine', { engine: agent.engine }),
              agent.version && t('agents.version', { version: agent.version }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
        </div>
        <Group gap={6}>
          {!agent.enabled && (
            <Badge color="gray.7" variant="filled" size="sm" tt="none">
              {t('agents.disabled')}
            </Badge>
          )}
          <Badge color={agent.connected ? 'teal.9' : 'red.8'} variant="filled" size="sm" tt="none">
            {agent.connected ? t('agents.connected') : t('agents.disconnected')}
          </Badge>
        </Group>
      </Group>
      <Stack gap="xs">
        <Bar
          label={`${t('agents.sessions')}: ${t('agents.cores')}`}
          used={agent.reserved.cores}
          all={agent.offered.cores}
          show={cores}
        />
        <Bar
          label={`${t('agents.sessions')}: ${t('agents.memory')}`}
          used={agent.reserved.memory_bytes}
          all={agent.offered.memory_bytes}
          show={bytes}
        />
        {agent.cores > 0 && (
          <Bar
            label={`${t('agents.load')}: ${t('agents.cores')}`}
            used={agent.cores_used}
            all={agent.cores}
            show={cores}
          />
        )}
        {agent.memory_bytes > 0 && (
          <Bar
            label={`${t('agents.load')}: ${t('agents.memory')}`}
            used={agent.memory_used_bytes}
            all={agent.memory_bytes}
            show={bytes}
          />
        )}
        {agent.disk_bytes > 0 && (
          <Bar
            label={t('agents.disk')}
            used={agent.disk_used_bytes}
            all={agent.disk_bytes}
            show={bytes}
          />
        )}
        <Text size="xs" c="dimmed">
          {[
            agent.connected && t('agents.containers', { count: agent.containers }),
            agent.connected && t('agents.warm', { count: agent.warm_displays }),
            agent.last_seen_at && t('agents.lastSeen', { time: moment(agent.last_seen_at) }),
          ]
            .filter(Boolean)
            .join(' · ')}
          <span className="visually-hidden">{exact(agent.last_seen_at)}</span>
        </Text>
        {agent.problems.length > 0 && (
          <Alert color="red" title={t('agents.problems')} p="xs">
            {agent.problems.map((problem) => (
              <Trouble key={problem.part + problem.what} failure={problem} />
            ))}
          </Alert>
        )}
        {agent.connected && agent.problems.length === 0 && (
          <Text size="xs" c="dimmed">
            {t('agents.noProblems')}
          </Text>
        )}
        {agent.pulls.length > 0 && (
          <div>
            <Text size="sm" fw={500}>
              {t('agents.pulls')}
            </Text>
            {agent.pulls.map((pull) => (
              <div key={pull.image}>
                {pull.failure ? (
                  <Trouble failure={pull.failure} />
                ) : (
                  <Bar
                    label={pull.image}
                    used={pull.done_bytes}
                    all={pull.total_bytes}
                    show={bytes}
                  />
                )}
              </div>
            ))}
          </div>
        )}
        <details>
          <summary style={{ cursor: 'pointer', fontSize: '0.875rem' }}>
            {t('agents.images')} ({agent.images.length})
          </summary>
          {agent.images.length === 0 && (
            <Text size="xs" c="dimmed">
              {t('agents.noImages')}
            </Text>
          )}
          {agent.images.map((image) => (
            <Group key={image.image} justify="space-between" gap={6}>
              <span className="mono">{image.image}</span>
              <Text size="xs">{bytes(image.size_bytes)}</Text>
            </Group>
          ))}
        </details>
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={() => setEnabled(!agent.enabled)}>
            {agent.enabled ? t('agents.disable') : t('agents.enable')}
          </Button>
          {/* The server's own agent is part of it. */}
          {!agent.local && (
            <Button size="xs" variant="default" onClick={remove}>
              {t('agents.remove')}
            </Button>
          )}
        </Group>
      </Stack>
    </Paper>
  );
}

function AddAgent({ onClose }: { onClose(): void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [made, setMade] = useState<AgentCreated>();
  const form = useForm({
    initialValues: { name: '' },
    validate: { name: (value) => (value.trim() === '' ? t('common.required') : null) },
  });

  async function create() {
    try {
      setMade(await api.createAgent(form.getValues().name.trim()));
      void client.invalidateQueries({ queryKey: ['agents'] });
    } catch (error) {
      placeErrors(error, ['name'], form.setErrors);
    }
  }

  if (made) {
    return (
      <Modal
        opened
        onClose={onClose}
        size="lg"
        closeOnClickOutside={false}
        title={t('agents.createdTitle', { name: made.agent.name })}
      >
        <Stack>
          <Text size="sm">{t('agents.createdText')}</Text>
          <Secret label={t('agents.command')} value={made.command} />
          <Secret label={t('agents.token')} value={made.token} />
          <Group justify="flex-end">
            <Button onClick={onClose}>{t('common.close')}</Button>
          </Group>
        </Stack>
      </Modal>
    );
  }
  return (
    <Modal opened onClose={onClose} title={t('agents.addTitle')}>
      <form onSubmit={form.onSubmit(() => void create())} noValidate>
        <Stack>
          <Text size="sm">{t('agents.addText')}</Text>
          <TextInput
            data-autofocus
            label={t('common.name')}
            description={t('agents.nameHint')}
            maxLength={64}
            {...form.getInputProps('name')}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit">{t('agents.add')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Secret({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation();
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text size="sm" fw={500}>
          {label}
        </Text>
        <CopyButton value={value}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy}>
              {copied ? t('common.copied') : t('common.copy')}
            </Button>
          )}
        </CopyButton>
      </Group>
      <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {value}
      </Code>
    </div>
  );
}
