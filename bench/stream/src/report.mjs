/** The table: medians over rounds, and the ratio to the best in the row. */

import { median } from './statistics.mjs';

/** scene, figure, words, unit, digits; a leading `>` in words: more is better. `-`: no ratio. */
const ROWS = [
  ['key', 'p50', 'key → pixel p50', 'ms', 1],
  ['key', 'p95', 'key → pixel p95', 'ms', 1],
  ['key', 'p99', 'key → pixel p99', 'ms', 1],
  ['key', 'input', '· page → X p50', 'ms', 1],
  ['key', 'picture', '· X → page p50', 'ms', 1],
  ['key', 'lost', '- lost events', '', 0],
  ['wire', 'damage', 'damage → update on the wire p50', 'ms', 2],
  ['wire', 'damage95', '· p95', 'ms', 2],
  ['wire', 'key', 'key → update on the wire p50', 'ms', 2],
  ['wire', 'key95', '· p95', 'ms', 2],
  ['flip', 'p50', 'full-screen flip p50', 'ms', 1],
  ['flip', 'p95', 'full-screen flip p95', 'ms', 1],
  ['flip', 'lost', '- lost events', '', 0],
  ['scroll', 'rate', '>text scrolling: lines shown of 30/s', '/s', 1],
  ['scroll', 'p50', 'delay p50', 'ms', 1],
  ['scroll', 'p95', 'delay p95', 'ms', 1],
  ['scroll', 'mbit', 'wire', 'Mbit/s', 2],
  ['scroll', 'server', 'server CPU', '%', 1],
  ['scroll', 'browser', 'browser CPU', '%', 1],
  ...['video', 'fullscreen'].flatMap((scene) => [
    [scene, 'rate', `>${scene === 'video' ? '720p30 video in a window' : '1080p30 full screen'}: frames shown of 30/s`, '/s', 1],
    [scene, 'p50', 'delay p50', 'ms', 1],
    [scene, 'p95', 'delay p95', 'ms', 1],
    [scene, 'gap', 'gap p95', 'ms', 1],
    [scene, 'psnr', '>PSNR of shown frames', 'dB', 1],
    [scene, 'around', '>exact pixels around it meanwhile', '%', 2],
    [scene, 'mbit', 'wire', 'Mbit/s', 1],
    [scene, 'bytesEach', 'bytes per shown frame', 'kB', 1, 1000],
    [scene, 'server', 'server CPU', '%', 1],
    [scene, 'cpuEach', 'server CPU per shown frame', 'ms', 1],
    [scene, 'browser', 'browser CPU', '%', 1],
  ]),
  ['idle', 'kbyte', 'idle: wire', 'kB/s', 2],
  ['idle', 'server', 'idle: server CPU', '%', 2],
  ['idle', 'browser', 'idle: browser CPU', '%', 1],
  ['still', 'exactAt', 'still picture: all pixels exact after', 'ms', 0],
  ['still', 'exactEarly', '>exact pixels by 450 ms', '%', 1],
  ['still', 'exact3', '>exact pixels at 3 s', '%', 1],
  ['still', 'exact9', '>exact pixels at the end', '%', 1],
  ['still', 'wrong', '- pixels wrong at the end', '', 0],
  ['still', 'psnr3', '>PSNR at 3 s', 'dB', 1],
  ['still', 'text', '>· text', 'dB', 1],
  ['still', 'colored', '>· coloured text', 'dB', 1],
  ['still', 'gradient', '>· gradient', 'dB', 1],
  ['still', 'photo', '>· photo', 'dB', 1],
  ['still', 'kbyte', 'bytes in 3 s', 'kB', 0],
  ['first', 'ms', 'open page → first full frame', 'ms', 0],
  ['first', 'kbyte', 'page weight', 'kB', 0],
  ['viewers', 'memoryOne', 'server memory (PSS), one viewer', 'MB', 1],
  ['viewers', 'memorySix', 'server memory (PSS), six viewers', 'MB', 1],
  ['viewers', 'memoryEach', 'PSS per further viewer', 'MB', 1],
  ['viewers', 'cpuOne', 'server CPU per delivered frame, one viewer', 'ms', 1],
  ['viewers', 'cpuSix', 'server CPU per delivered frame, six viewers', 'ms', 1],
  ['viewers', 'rate', '>six viewers: frames in the watched one', '/s', 1],
  ['viewers', 'ratesOthers', '>six viewers: frames in the others', '/s', 1],
  ['viewers', 'serving', '>further viewers that got pictures', '', 0],
];

const HEADINGS = { local: 'Loopback', wan20: '20 Mbit/s, 40 ms round trip', wan5: '5 Mbit/s, 100 ms round trip, 1 % loss' };

function number(value, digits) {
  if (value === undefined || Number.isNaN(value)) return '–';
  return value.toFixed(digits);
}

/** Markdown for the cells measured so far. */
export function table(cells, targets) {
  const out = [];
  for (const network of Object.keys(HEADINGS)) {
    const here = cells.filter((cell) => cell.network === network);
    if (here.length === 0) continue;
    const kinds = [...new Set(here.map((cell) => cell.link))].join(', ');
    out.push('', `### ${HEADINGS[network]} (${kinds})`, '');
    out.push(`| | ${targets.map((target) => target.label).join(' | ')} |`, `|---|${targets.map(() => '--:').join('|')}|`);
    for (const [scene, figure, words, unit, digits, divisor = 1] of ROWS) {
      const values = targets.map((target) => {
        const got = here
          .filter((cell) => cell.target === target.name && cell.scene === scene)
          .map((cell) => cell.figures?.[figure])
          .filter((value) => typeof value === 'number');
        const middle = median(got);
        return middle === undefined ? undefined : middle / divisor;
      });
      const known = values.filter((value) => value !== undefined);
      if (known.length === 0) continue;
      const more = words.startsWith('>');
      const best = more ? Math.max(...known) : Math.min(...known);
      const shown = values.map((value) => {
        const text = number(value, digits);
        if (value === undefined || known.length < 2 || words.startsWith('-') || unit === 'dB' || best <= 0) return text;
        const ratio = more ? value / best : value / best;
        return ratio === 1 ? `**${text}**` : `${text} (${ratio.toFixed(ratio < 10 ? 2 : 0)}×)`;
      });
      out.push(`| ${words.replace(/^[->]\s*/, '')}${unit ? ` [${unit}]` : ''} | ${shown.join(' | ')} |`);
    }
    const costs = here.map((cell) => cell.cost).filter(Boolean);
    if (costs.length > 0) {
      const spread = (key, digits) => {
        const all = costs.map((cost) => cost[key]);
        return `${number(Math.min(...all), digits)} / ${number(median(all), digits)} / ${number(Math.max(...all), digits)}`;
      };
      out.push('', `Others' CPU during the cells (min / median / max): ${spread('foreign', 0)} % of one core; steal ${spread('steal', 1)} %; a fixed piece of work took ${spread('speed', 1)} ms.`);
    }
  }
  const failed = cells.filter((cell) => cell.error);
  if (failed.length > 0) {
    out.push('', 'Cells that failed:', '');
    for (const cell of failed) out.push(`- ${cell.target} · ${cell.scene} · ${cell.network} · round ${cell.round}: ${cell.error}`);
  }
  return out.join('\n');
}
