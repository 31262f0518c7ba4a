// Shows details under the pointer. The page can be read without this script. The numbers are in #bins: for each window
// and vCPU a list with one entry per bin, [ran, waited, in vmm (per mille), exits of each kind]. The entry 0 is an
// empty bin.
'use strict';
(() => {
  const { kinds, windows } = JSON.parse(document.getElementById('bins').textContent);
  const tip = document.getElementById('tip');
  const SVG = 'http://www.w3.org/2000/svg';

  const inWords = (s) =>
    s >= 1 ? s.toFixed(3) + ' s' : s >= 1e-3 ? (s * 1e3).toPrecision(3) + ' ms' : (s * 1e6).toPrecision(3) + ' us';

  function words(view, lane, at) {
    const bin = view.vcpus[lane.dataset.row].bins[at];
    const width = view.length / view.count;
    const [ran, waited, vmm, ...exits] = bin || [0, 0, 0];
    const rows = ['vCPU ' + view.vcpus[lane.dataset.row].vcpu +
                  '  at ' + (view.from + at * width).toFixed(width < 1e-3 ? 6 : 3) + ' s, for ' + inWords(width)];
    if (view.vcpus[lane.dataset.row].sampled) {
      rows.push('on a CPU ' + (ran / 10).toFixed(1) + ' %   waiting ' + (waited / 10).toFixed(1) +
                ' %   asleep ' + Math.max(0, (1000 - ran - waited) / 10).toFixed(1) + ' %');
    } else {
      rows.push('on a CPU, waiting or asleep: unknown');
    }
    rows.push('in vmm ' + (vmm / 10).toFixed(1) + ' %');
    exits.forEach((count, kind) => { if (count) rows.push(count + ' x ' + kinds[kind]); });
    return rows.join('\n');
  }

  // Marks the same moment in all rows of the window.
  function mark(figure, share) {
    for (const lane of figure.querySelectorAll('svg.lane')) {
      let cursor = lane.querySelector('.cursor');
      if (!cursor) {
        cursor = document.createElementNS(SVG, 'rect');
        cursor.setAttribute('class', 'cursor');
        cursor.setAttribute('width', '1');
        cursor.setAttribute('height', '100%');
        lane.append(cursor);
      }
      cursor.setAttribute('x', share * 100 + '%');
    }
  }

  function hide() {
    tip.hidden = true;
    document.querySelectorAll('.cursor').forEach((cursor) => cursor.remove());
  }

  function show(lane, share, x, y) {
    const figure = lane.closest('.window');
    const view = windows[figure.dataset.window];
    const at = Math.min(view.count - 1, Math.max(0, Math.floor(share * view.count)));
    lane.dataset.at = at;
    mark(figure, (at + 0.5) / view.count);
    if (!lane.dataset.row) return;
    tip.textContent = words(view, lane, at);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 8)) + 'px';
    tip.style.top = (y + 18 + box.height > innerHeight ? y - box.height - 10 : y + 18) + 'px';
  }

  for (const lane of document.querySelectorAll('svg.lane')) {
    const follow = (event) => {
      const box = lane.getBoundingClientRect();
      show(lane, (event.clientX - box.left) / box.width, event.clientX, event.clientY);
    };
    lane.addEventListener('pointermove', follow);
    lane.addEventListener('pointerdown', follow);
    lane.addEventListener('pointerleave', hide);
    lane.addEventListener('blur', hide);
    lane.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const view = windows[lane.closest('.window').dataset.window];
      const at = Math.min(view.count - 1, Math.max(0, Number(lane.dataset.at || view.count - 1) + step));
      const box = lane.getBoundingClientRect();
      show(lane, (at + 0.5) / view.count, box.left + box.width * (at + 0.5) / view.count, box.bottom);
    });
  }
})();
