// Panels with summary, figure, table and downloads; charts that a pointer, keys and a screen reader can read.
'use strict';

// ---- Panels: made once, filled again and again -----------------------------------------------------------------------

const panels = new Map();
/// A section with title, summary, figure, table and downloads. `size` is a class of the grid.
function panel(id, title, size, downloads) {
  let known = panels.get(id);
  if (!known) {
    const parts = { summary: h('p', { class: 'summary', id: id + '-summary' }), figure: h('div', { class: 'figure' }), links: h('span', { class: 'links' }) };
    parts.table = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': title + ', as a table' });
    parts.details = h('details', { ontoggle: () => { if (parts.details.open && parts.makeTable) parts.table.replaceChildren(parts.makeTable()); } }, h('summary', null, 'As a table'), parts.table);
    parts.section = h('section', { class: 'panel ' + (size || ''), id, 'aria-labelledby': id + '-title' },
      h('header', null, h('h2', { id: id + '-title' }, title), parts.links), parts.summary, parts.figure, parts.details);
    known = parts;
    panels.set(id, known);
    // In the page before it is drawn: charts are as wide as their place.
    if ($('grid')) $('grid').append(parts.section);
  }
  if (downloads) known.links.replaceChildren(...['CSV', 'JSON'].map((kind) => h('a', { href: download(downloads[0], downloads[1], kind.toLowerCase()), 'aria-label': title + ' as ' + kind }, kind)));
  return known;
}
function show(parts, summary, figures, makeTable) {
  if (parts.summary.textContent !== summary) parts.summary.textContent = summary;
  replace(parts.figure, figures);
  parts.makeTable = makeTable;
  parts.details.hidden = !makeTable;
  if (makeTable && parts.details.open) parts.table.replaceChildren(makeTable());
  return parts.section;
}
/// Something in there is being selected, to be copied: it stays as it is until that is over.
function isSelected(node) {
  const selection = getSelection();
  return !selection.isCollapsed && node.contains(selection.anchorNode);
}
/// Focus survives: the element with the same key gets it back.
function keepingFocus(node, change) {
  const focused = node.contains(document.activeElement) ? document.activeElement.getAttribute('data-key') : null;
  const next = change() || node;
  if (focused) { const heir = [...next.querySelectorAll('[data-key]')].find((entry) => entry.getAttribute('data-key') === focused); if (heir) heir.focus({ preventScroll: true }); }
}
/// A chart that is being read, by pointer or key, waits a little with what is new.
let readAt = 0;
const isRead = (node) => Date.now() - readAt < 8000 && !!node.querySelector('.tip:not([hidden])');
function replace(node, children) {
  if (!isSelected(node) && !isRead(node)) keepingFocus(node, () => node.replaceChildren(...[children].flat(3).filter(Boolean)));
}
/// What stands above the panels, in place of what stood there.
function showHead(head, otherwise) {
  const before = $(head.id);
  if (!before) otherwise();
  else if (!isSelected(before)) keepingFocus(before, () => { before.replaceWith(head); return head; });
}
function table(heads, rows, className) {
  return h('table', { class: className }, h('thead', null, h('tr', null, heads.map(([text, kind]) => h('th', { scope: 'col', class: kind }, text)))),
    h('tbody', null, rows.map((cells) => h('tr', null, cells.map((cell, index) => h('td', { class: heads[index][1], 'data-label': heads[index][0] }, h('span', null, cell)))))));
}
const empty = (text) => h('p', { class: 'empty' }, text);
const tile = (name, value, note, kind, sign) => h('div', { class: 'tile' }, h('dt', null, name), h('dd', { class: kind ? kind + '-ink' : null }, sign ? h('span', { 'aria-hidden': 'true' }, sign + ' ') : null, value, note ? h('small', null, note) : null));

// ---- Charts ----------------------------------------------------------------------------------------------------------

const patterns = () => s('defs', null, s('pattern', { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }, s('path', { d: 'M0 0V6', stroke: 'currentColor', 'stroke-width': 2, 'stroke-opacity': .38 })));
const widthOf = (node) => Math.max(280, Math.min(1400, node.clientWidth || 640));
const shape = { up: 'M0 -7L6 5H-6Z', dot: 'M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0', check: 'M-6 0L-2 5L7 -5L5 -7L-2 1L-4 -2Z', cross: 'M-5 -7L0 -2L5 -7L7 -5L2 0L7 5L5 7L0 2L-5 7L-7 5L-2 0L-7 -5Z', square: 'M-5 -5H5V5H-5Z' };

function timeTicks(from, to, width) {
  const steps = [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY];
  const step = steps.find((entry) => (to - from) / entry <= width / 82) || 14 * DAY;
  const shift = view.zone === 'utc' ? 0 : new Date(to).getTimezoneOffset() * 60e3;
  const ticks = [];
  for (let tick = Math.ceil((from - shift) / step) * step + shift; tick <= to; tick += step) ticks.push(tick);
  // A date at each midnight, hours between.
  return ticks.map((tick) => [tick, step >= DAY || (tick - shift) % DAY === 0 ? time(tick, 'day') : time(tick, 'hour')]);
}

/// A line over time with zones, limits and markers; a pointer or the arrow keys read it.
function timeChart(key, host, options) {
  const shown = (options.marks || []).filter((mark) => mark.at >= options.from && mark.at <= options.to).sort((a, b) => a.at - b.at);
  const width = widthOf(host), height = options.height || 244, left = 46, right = 14, top = shown.length ? 40 : 14, bottom = 24;
  const { from, to, low, high } = options;
  const x = (value) => left + (value - from) / Math.max(1, to - from) * (width - left - right);
  const y = (value) => top + (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low)) * (height - top - bottom);
  const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': options.label });
  for (const zone of options.zones || []) svg.append(s('rect', { class: 'zone ' + zone.kind, x: left, width: width - left - right, y: y(zone.to), height: Math.max(0, y(zone.from) - y(zone.to)) }));
  const step = options.step;
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) svg.append(s('line', { class: 'gridline', x1: left, x2: width - right, y1: y(value), y2: y(value) }), s('text', { x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, options.format(value)));
  for (const [tick, label] of timeTicks(from, to, width)) svg.append(s('line', { class: 'gridline', x1: x(tick), x2: x(tick), y1: top, y2: height - bottom }), s('text', { x: Math.min(width - 26, Math.max(left + 14, x(tick))), y: height - 7, 'text-anchor': 'middle' }, label));
  for (const limit of options.limits || []) svg.append(s('line', { class: 'limit ' + limit.kind, x1: left, x2: width - right, y1: y(limit.at), y2: y(limit.at) }), s('text', { class: limit.kind, x: left + 5, y: y(limit.at) + (limit.below ? 13 : -4) }, limit.text));
  const gaps = options.at.slice(1).map((value, index) => value - options.at[index]).sort((a, b) => a - b);
  const gapMax = Math.max(HOUR, 3 * (gaps[gaps.length >> 1] || HOUR));
  for (const line of options.lines) {
    let path = '', area = '', start = null, previous = null, pieces = 0;
    options.at.forEach((at, index) => {
      const value = line.values[index];
      if (!known(value)) { previous = null; return; }
      if (previous === null || at - previous > gapMax) { if (start !== null) area += `L${x(options.at[start.last]).toFixed(1)} ${y(low)}Z`; path += `M${x(at).toFixed(1)} ${y(value).toFixed(1)}`; area += `M${x(at).toFixed(1)} ${y(low)}L${x(at).toFixed(1)} ${y(value).toFixed(1)}`; start = { last: index }; pieces += 1; }
      else { path += `L${x(at).toFixed(1)} ${y(value).toFixed(1)}`; area += `L${x(at).toFixed(1)} ${y(value).toFixed(1)}`; start.last = index; }
      previous = at;
    });
    if (start !== null) area += `L${x(options.at[start.last]).toFixed(1)} ${y(low)}Z`;
    if (line.area && pieces) svg.append(s('path', { class: 'area', d: area }));
    svg.append(s('path', { class: 'line ' + (line.kind || ''), d: path }));
  }
  let lane = [0, -99];
  for (const mark of shown) {
    // Marks that would lie on each other take the next lane.
    lane = x(mark.at) - lane[1] < 13 ? [(lane[0] + 1) % 3, x(mark.at)] : [0, x(mark.at)];
    svg.append(s('line', { class: 'mark-line', x1: x(mark.at), x2: x(mark.at), y1: top - 4, y2: height - bottom }),
      s('g', { transform: `translate(${x(mark.at).toFixed(1)} ${top - 26 + lane[0] * 13})` }, s('title', null, mark.text), s('path', { class: 'mark ' + (mark.kind || ''), d: shape[mark.shape] })));
  }
  const cross = s('line', { class: 'cross', y1: top, y2: height - bottom, visibility: 'hidden' });
  const dot = s('circle', { class: 'pointed', r: 4.5, visibility: 'hidden' });
  svg.append(cross, dot);
  const tip = h('div', { class: 'tip', hidden: true, role: 'status', 'aria-live': 'polite' });
  const box = h('div', { tabindex: '0', role: 'group', 'aria-label': options.label + ' Arrow keys read single decisions.', 'data-key': key }, svg);
  let current = -1;
  const point = (index) => {
    if (index < 0 || index >= options.at.length) return;
    current = index;
    readAt = Date.now();
    const px = x(options.at[index]), value = options.lines[0].values[index];
    for (const [name, number] of [['x1', px], ['x2', px]]) cross.setAttribute(name, number);
    cross.setAttribute('visibility', 'visible');
    dot.setAttribute('visibility', known(value) ? 'visible' : 'hidden');
    if (known(value)) { dot.setAttribute('cx', px); dot.setAttribute('cy', y(value)); }
    tip.textContent = options.tip(index);
    tip.hidden = false;
    const scale = (svg.clientWidth || width) / width;
    tip.style.left = Math.max(0, Math.min(px * scale + 12, (svg.clientWidth || width) - 250)) + 'px';
    tip.style.top = top * scale + 'px';
  };
  const leave = () => { tip.hidden = true; for (const entry of [cross, dot]) entry.setAttribute('visibility', 'hidden'); };
  box.addEventListener('pointermove', (event) => {
    const bounds = svg.getBoundingClientRect();
    const at = from + ((event.clientX - bounds.left) / bounds.width * width - left) / (width - left - right) * (to - from);
    let [a, b] = [0, options.at.length - 1];
    while (b - a > 1) { const middle = (a + b) >> 1; if (options.at[middle] < at) a = middle; else b = middle; }
    point(Math.abs(options.at[a] - at) < Math.abs(options.at[b] - at) ? a : b);
  });
  box.addEventListener('pointerleave', leave);
  box.addEventListener('blur', leave);
  box.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24 }[event.key];
    if (event.key === 'Home') point(0); else if (event.key === 'End') point(options.at.length - 1); else if (move) point(Math.max(0, Math.min(options.at.length - 1, (current < 0 ? options.at.length : current) + move)));
    else if (event.key === 'Escape') return leave(); else return;
    event.preventDefault();
  });
  return [box, tip];
}

function spark(values, limit) {
  const numbers = values.filter(known);
  const high = Math.max(limit * 1.3, ...numbers, 0.001);
  let path = '', pen = false;
  values.forEach((value, index) => { if (!known(value)) { pen = false; return; } path += `${pen ? 'L' : 'M'}${(index / (values.length - 1) * 110 + 1).toFixed(1)} ${(24 - value / high * 22).toFixed(1)}${pen ? '' : 'h.01'}`; pen = true; });
  return s('svg', { class: 'spark', viewBox: '0 0 112 26', role: 'img', 'aria-label': numbers.length ? 'score over 7 days, highest ' + figure(Math.max(...numbers)) : 'no scores' }, s('line', { x1: 1, x2: 111, y1: 24 - limit / high * 22, y2: 24 - limit / high * 22 }), s('path', { d: path }));
}
const key = (sample, text) => h('li', null, s('svg', { viewBox: '0 0 18 12', 'aria-hidden': 'true' }, sample), text);
