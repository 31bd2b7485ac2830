import { Alert } from '@mantine/core';
import {
  IconDeviceDesktop,
  IconLayoutGrid,
  IconServer,
  IconUsers,
  IconUsersGroup,
} from '@tabler/icons-react';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../lib/queries';
import classes from './admin.module.css';

const GROUPS = [
  {
    title: 'groupOperation',
    links: [{ to: '/admin/sessions', text: 'sessions', icon: IconDeviceDesktop }],
  },
  {
    title: 'groupPeople',
    links: [
      { to: '/admin/users', text: 'users', icon: IconUsers },
      { to: '/admin/groups', text: 'groups', icon: IconUsersGroup },
    ],
  },
  {
    title: 'groupOffer',
    links: [{ to: '/admin/workspaces', text: 'workspaces', icon: IconLayoutGrid }],
  },
  {
    title: 'groupInfrastructure',
    links: [{ to: '/admin/agents', text: 'agents', icon: IconServer }],
  },
] as const;

/** The frame of the administrator's pages. The server refuses everybody else anyway. */
export function AdminGate() {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  if (!me.is_admin) {
    return (
      <Alert m="lg" color="yellow" role="alert">
        {t('admin.forbidden')}
      </Alert>
    );
  }
  return (
    <div className={classes.frame}>
      <nav className={classes.nav} aria-label={t('admin.title')}>
        {GROUPS.map((group) => (
          <div key={group.title}>
            <div className={classes.group}>{t(`admin.${group.title}`)}</div>
            {group.links.map(({ to, text, icon: Icon }) => (
              <Link key={to} to={to} className={classes.link}>
                <Icon size={18} aria-hidden />
                {t(`admin.${text}`)}
              </Link>
            ))}
          </div>
        ))}
      </nav>
      <div className={classes.content}>
        <Outlet />
      </div>
    </div>
  );
}
