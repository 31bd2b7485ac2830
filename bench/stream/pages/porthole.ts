import { Viewer } from '../../../web/viewer/src/index';

const target = document.getElementById('screen');
if (!target) throw new Error('the page has no #screen');
const viewer = new Viewer(
  target,
  async () => ({ url: '/rfb?access=control', access: 'control' }),
  { state() {}, painted: () => viewer.focus() },
);
viewer.start();
