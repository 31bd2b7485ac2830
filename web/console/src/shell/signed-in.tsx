import '@mantine/notifications/styles.css';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { ApiError } from '@porthole/api';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { listen } from '../lib/events';
import { meQuery } from '../lib/queries';

/** Everything behind the login: hears the server's news, and leaves when the login has ended. */
export function SignedIn() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { href, pathname } = useLocation();
  const { data: me, error } = useQuery(meQuery);
  // Administrators hear of everybody's sessions where they can see them.
  const all = Boolean(me?.is_admin) && /^\/(admin|session)(\/|$)/.test(pathname);

  useEffect(() => listen(client, all), [client, all]);

  const expired = error instanceof ApiError && error.status === 401;
  useEffect(() => {
    if (!expired) return;
    client.clear();
    void navigate({ to: '/login', search: { to: href, expired: true }, replace: true });
  }, [expired, client, navigate, href]);

  return (
    <ModalsProvider>
      <Notifications position="top-right" />
      <Outlet />
    </ModalsProvider>
  );
}
