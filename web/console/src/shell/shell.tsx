import { Alert, AppShell, Avatar, Box, Menu, UnstyledButton } from '@mantine/core';
import { api } from '@porthole/api';
import { IconApi, IconLogout, IconUser, IconWifiOff } from '@tabler/icons-react';
import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { showError } from '../lib/errors';
import { useLive } from '../lib/events';
import { meQuery } from '../lib/queries';
import { Appearance } from './appearance';
import { Logo } from './logo';
import classes from './shell.module.css';

/** The frame of every page but the session's. */
export function Shell() {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const live = useLive();
  return (
    <AppShell header={{ height: 56 }} padding={0}>
      <a href="#content" className="skip">
        {t('common.skip')}
      </a>
      <AppShell.Header>
        <div className={classes.header}>
          <Link to="/" className={classes.brand} aria-label={t('shell.home')}>
            <Logo />
            <span>Porthole</span>
          </Link>
          <Box component="nav" aria-label={t('shell.navigation')} style={{ display: 'flex' }}>
            <Link to="/" activeOptions={{ exact: true }} className={classes.link}>
              {t('shell.dashboard')}
            </Link>
            {me.is_admin && (
              <Link to="/admin" className={classes.link}>
                {t('shell.admin')}
              </Link>
            )}
          </Box>
          <Box ml="auto">
            <AccountMenu username={me.user.username} />
          </Box>
        </div>
      </AppShell.Header>
      <AppShell.Main id="content" tabIndex={-1} style={{ outline: 'none' }}>
        {!live && (
          <Alert color="yellow" radius={0} icon={<IconWifiOff size={18} />} role="status" py={8}>
            {t('shell.offline')}
          </Alert>
        )}
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function AccountMenu({ username }: { username: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const initials = username.slice(0, 2).toUpperCase();

  async function signOut() {
    try {
      await api.logout();
    } catch (error) {
      showError(error);
      return;
    }
    await navigate({ to: '/login' });
    client.clear();
  }

  return (
    <Menu position="bottom-end" width={250} shadow="md">
      <Menu.Target>
        <UnstyledButton
          aria-label={`${initials}, ${t('shell.menu', { name: username })}`}
          style={{ display: 'block', borderRadius: 99 }}
        >
          <Avatar radius="xl" color="sea" variant="filled" size={34} aria-hidden>
            {initials}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label style={{ overflowWrap: 'anywhere' }}>{username}</Menu.Label>
        <Menu.Item leftSection={<IconUser size={16} />} component={Link} to="/account">
          {t('shell.account')}
        </Menu.Item>
        <Menu.Item leftSection={<IconApi size={16} />} component={Link} to="/api/docs">
          {t('shell.docs')}
        </Menu.Item>
        <Menu.Divider />
        <Box px="sm" py={6}>
          <Appearance />
        </Box>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
          {t('shell.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
