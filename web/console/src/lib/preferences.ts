/** What a user prefers, remembered in this browser by user. */

import { recall, remember } from './storage';

/** How a workspace is launched. */
export interface LaunchOptions {
  newTab: boolean;
  /** `window`, or `1920x1080`. */
  size: string;
}

export const SIZES = ['window', '1280x720', '1366x768', '1920x1080', '2560x1440'] as const;

export function launchOptions(user: string, workspace: string): LaunchOptions {
  return recall<LaunchOptions>(`launch-${user}-${workspace}`, { newTab: false, size: 'window' });
}

export function keepLaunchOptions(user: string, workspace: string, options: LaunchOptions): void {
  remember(`launch-${user}-${workspace}`, options);
}
