/** Has browsers fetch the console beside the page's beginning, which asks for it a little later. */

import type { HtmlTagDescriptor, Plugin } from 'vite';

export function preloadStart(): Plugin {
  return {
    name: 'preload-start',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle }) => {
        const start = Object.values(bundle ?? {}).find(({ name }) => name === 'start');
        if (start?.type !== 'chunk') throw new Error('there is no chunk called start');
        const styles = [...(start.viteMetadata?.importedCss ?? [])];
        return [
          // Not as modules, which would be compiled before the page's beginning has run.
          link('preload', start.fileName, { as: 'script' }),
          ...styles.map((file) => link('preload', file, { as: 'style' })),
        ];
      },
    },
  };
}

function link(rel: string, file: string, attrs: Record<string, string> = {}): HtmlTagDescriptor {
  const href = `/${file}`;
  return { tag: 'link', attrs: { rel, href, crossorigin: '', ...attrs }, injectTo: 'head' };
}
