/** What a stretch of time cost: bytes, processor time by side, and who else was busy. */

import { bytesSent } from './network.mjs';
import { cpuOf, descendants, machineCpu, speed } from './process.mjs';

export class Meter {
  constructor({ target, browser, scene }) {
    Object.assign(this, { target, browser, scene });
  }

  async snapshot() {
    const pids = {
      server: descendants(this.target.roots()),
      browser: this.browser?.pids() ?? [],
      scene: this.scene ? descendants([this.scene.child.pid]) : [],
    };
    return {
      at: performance.now(),
      bytes: await bytesSent(this.target.port),
      server: cpuOf(pids.server),
      browser: cpuOf(pids.browser),
      rest: cpuOf([...pids.scene, process.pid]),
      machine: machineCpu(),
    };
  }

  /** Runs `work`; per cent of one processor, bytes, and seconds it took. */
  async during(work) {
    const before = await this.snapshot();
    const result = await work();
    const after = await this.snapshot();
    const seconds = (after.at - before.at) / 1000;
    const share = (key) => ((after[key] - before[key]) / seconds) * 100;
    const busy = ((after.machine.busy - before.machine.busy) / seconds) * 100;
    return {
      result,
      cost: {
        seconds,
        bytes: after.bytes - before.bytes,
        server: share('server'),
        browser: share('browser'),
        foreign: busy - share('server') - share('browser') - share('rest'),
        steal: ((after.machine.steal - before.machine.steal) / seconds) * 100,
        speed: speed(),
      },
    };
  }
}
