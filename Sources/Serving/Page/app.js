// The dashboard. It shows what /api/v1 says, and nothing else. Whatever comes from there is put in as text, never as
// markup: names of models, metrics and versions are written by whoever can write to Kafka.
'use strict';

// ---- Small helpers ---------------------------------------------------------------------------------------------------

const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  for (const child of children.flat(4)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}
const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const s = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

/// A name as a person can tell it from others: what would turn the direction of writing, or show as nothing, is spelt out.
const plainName = (name) => {
  const text = String(name).replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (mark) => '⟨U+' + mark.codePointAt(0).toString(16).toUpperCase().padStart(4, '0') + '⟩');
  return text.trim() === '' ? `⟨${text.length} blank${text.length === 1 ? '' : 's'}⟩` : text;
};
/// The same, apart from the direction of what stands around it. Beyond `most` characters its middle is left out.
function named(name, most = 400) {
  const text = plainName(name), letters = [...text];
  const short = letters.length > most ? letters.slice(0, most * .6 | 0).join('') + ' … ' + letters.slice(-(most * .3 | 0)).join('') : text;
  return h('bdi', { title: short === text ? null : text }, short);
}

const HOUR = 3600e3, DAY = 24 * HOUR;
const known = (value) => typeof value === 'number' && Number.isFinite(value);
const percent = (value, digits = 1) => known(value) ? (value * 100).toFixed(digits) + ' %' : '–';
const points = (value) => known(value) ? (value >= 0 ? '+' : '−') + Math.abs(value * 100).toFixed(1) + ' points' : '–';
const figure = (value, digits = 3) => known(value) ? value.toFixed(digits) : '–';
/// A configured limit: as written, with two digits at least.
const limitText = (value) => known(value) ? value.toFixed(Math.max(2, (String(value).split('.')[1] || '').length)) : '–';
const count = (value) => known(value) ? value.toLocaleString('en') : '–';

function duration(milliseconds) {
  const minutes = Math.round(Math.abs(milliseconds) / 60e3);
  if (Math.abs(milliseconds) < 60e3) return Math.round(Math.abs(milliseconds) / 1000) + ' s';
  if (minutes < 60) return minutes + ' min';
  if (minutes < 48 * 60) return Math.floor(minutes / 60) + ' h' + (minutes % 60 ? ' ' + (minutes % 60) + ' min' : '');
  return (minutes / 1440).toFixed(minutes < 14400 ? 1 : 0) + ' days';
}

// ---- What is shown: all of it in the address -------------------------------------------------------------------------

const view = { model: null, range: 7, zone: 'utc', decision: null, all: false, stop: false };
const data = { overview: null, models: [], detail: null, pipeline: null, skew: 0 };
const log = { q: '', outcome: '', changes: true, rows: [], matching: 0, more: false };
const fleet = { q: '', sort: 'state', down: true, all: false };

function readAddress() {
  const query = new URLSearchParams(location.search);
  view.model = query.get('model');
  view.all = query.has('all');
  view.range = [1, 7, 28, 90].includes(Number(query.get('range'))) ? Number(query.get('range')) : 7;
  view.zone = query.get('zone') === 'local' ? 'local' : 'utc';
  view.decision = query.get('decision');
  $('range').value = view.range;
  $('zone').value = view.zone;
}
function address(change) {
  const next = { ...view, ...change };
  const query = new URLSearchParams();
  if (next.model) query.set('model', next.model); else if (next.all) query.set('all', '1');
  if (next.range !== 7) query.set('range', next.range);
  if (next.zone !== 'utc') query.set('zone', next.zone);
  if (next.decision) query.set('decision', next.decision);
  const text = query.toString();
  return location.pathname + (text ? '?' + text : '');
}
function go(change) {
  const before = view.model;
  history.pushState(null, '', address(change));
  readAddress();
  if (view.model !== before) { $('content').replaceChildren(); panels.clear(); log.rows = []; data.detail = null; }
  refresh(true);
}
const link = (change, ...children) => h('a', { href: address(change), 'data-nav': true }, ...children);

// ---- Time ------------------------------------------------------------------------------------------------------------

const formats = new Map();
function time(milliseconds, style = 'minute') {
  if (!known(milliseconds)) return '–';
  // A day of another year needs to say so.
  const isFar = Math.abs(milliseconds - now()) > 300 * DAY;
  const key = style + view.zone + isFar;
  if (!formats.has(key)) {
    const options = { timeZone: view.zone === 'utc' ? 'UTC' : undefined, hourCycle: 'h23' };
    if (style !== 'clock' && style !== 'hour') Object.assign(options, { day: 'numeric', month: 'short' });
    if (style !== 'day') Object.assign(options, { hour: '2-digit', minute: '2-digit' });
    if (style === 'clock') options.second = '2-digit';
    if (style === 'full' || (style === 'day' && isFar)) Object.assign(options, style === 'full' ? { year: 'numeric', weekday: 'short' } : { year: 'numeric' });
    formats.set(key, new Intl.DateTimeFormat('en-GB', options));
  }
  return formats.get(key).format(milliseconds);
}
const zoneName = () => view.zone === 'utc' ? 'UTC' : 'local time';
const now = () => Date.now() + data.skew;

/// Hour of the week, Monday 0, in the zone shown.
const weekFormat = { utc: new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', weekday: 'short', hour: '2-digit', hourCycle: 'h23' }),
  local: new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', hourCycle: 'h23' }) };
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
function weekHour(milliseconds) {
  const parts = Object.fromEntries(weekFormat[view.zone].formatToParts(milliseconds).map((part) => [part.type, part.value]));
  return WEEKDAYS.indexOf(parts.weekday) * 24 + Number(parts.hour) % 24;
}

// ---- The worker's words ----------------------------------------------------------------------------------------------

const REASONS = {
  paused: ['blind', 'Paused', 'an operator paused triggering'],
  catching_up: ['blind', 'Catching up', 'the stream lags behind the clock'],
  no_predictions: ['blind', 'No predictions', 'the model predicts nothing'],
  stalled_input: ['blind', 'Input stalled', 'nothing comes in'],
  no_baseline: ['blind', 'No baseline yet', 'the first week is being learned'],
  insufficient_data: ['blind', 'Too little data', 'windows are not full enough'],
  training_in_progress: ['safeguard', 'Training in progress', 'one open request a model'],
  verifying: ['safeguard', 'New version on trial', 'its verification runs'],
  min_interval: ['safeguard', 'Minimum interval', 'trained too recently'],
  backoff: ['safeguard', 'Back-off', 'the last request came to nothing'],
  weekly_limit: ['safeguard', 'Weekly limit', 'enough trainings in seven days'],
  open_request_limit: ['safeguard', 'Open-request limit', 'enough trainings at once'],
  persistence: ['safeguard', 'Persistence', 'drift must last before it counts'],
  no_drift: ['fine', 'No drift', 'the score is below its threshold'],
  waiting_for_quiet: ['quiet', 'Waiting for quiet', 'a quieter hour is planned'],
  no_window: ['quiet', 'No quiet window', 'no quiet hour in sight'],
  forced_refresh: ['trigger', 'Forced refresh', 'the longest time without training is over'],
  drift_quiet: ['trigger', 'Drift, and quiet', 'drift, at a quiet hour'],
  sla_breach: ['trigger', 'SLA breach', 'accuracy below what was agreed'],
  quiet_deadline: ['trigger', 'Quiet deadline', 'no quiet hour came in time'],
  manual: ['trigger', 'Asked by hand', 'an operator asked'],
};
const reasonOf = (code) => REASONS[code] || ['blind', code || 'unknown', ''];
const KINDS = { fine: 'nothing to do', quiet: 'waits for a quiet hour', safeguard: 'a safeguard holds', blind: 'cannot judge', trigger: 'training triggered' };
const LEVELS = { healthy: ['good', '●', 'Healthy'], warning: ['warn', '▲', 'Warning'], critical: ['bad', '■', 'Critical'], unknown: ['idle', '○', 'Unknown'] };
const level = (name) => LEVELS[name] || LEVELS.unknown;
const stateLabel = (kind, sign, text) => h('span', { class: 'state ' + kind }, h('span', { 'aria-hidden': 'true' }, sign), text);
const chip = (code, outcome) => h('span', { class: 'chip k-' + reasonOf(code)[0] }, outcome === 'trigger' ? '▶ ' : '', reasonOf(code)[1]);

// ---- Talking to the worker -------------------------------------------------------------------------------------------

/// A space as %20, which every server reads alike.
const escaped = (query) => query.toString().replaceAll('+', '%20');
async function ask(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== null && value !== undefined && value !== '') query.set(key, value);
  const response = await fetch('api/v1/' + path + (query.size ? '?' + escaped(query) : ''), { signal: AbortSignal.timeout(20000) });
  if (!response.ok) throw Object.assign(new Error((await response.text()).trim()), { status: response.status });
  return response.json();
}
const download = (path, parameters, format) => 'api/v1/' + path + '?' + escaped(new URLSearchParams({ ...parameters, format, download: '1' }));
const quietly = (promise, instead = null) => promise.catch((error) => { if (error.status) return instead; throw error; });

const live = { heardAt: 0, source: null, timer: null, lastRefresh: 0, pending: false, error: null, event: -1 };

function listen() {
  if (live.source) live.source.close();
  live.source = new EventSource('api/v1/events');
  const heard = (event) => { live.heardAt = Date.now(); const number = Number(event.lastEventId); const missed = live.event >= 0 && number > live.event + 1; live.event = number; return missed; };
  live.source.addEventListener('hello', (event) => { const first = live.event < 0; heard(event); if (!first) refresh(true); showLive(); });
  live.source.addEventListener('heartbeat', (event) => { if (heard(event)) soon(); showLive(); });
  live.source.addEventListener('changed', (event) => {
    const missed = heard(event);
    const news = JSON.parse(event.data);
    if (missed || news.all || !view.model || news.models.includes(view.model)) soon();
    showLive();
  });
  live.source.addEventListener('error', () => { if (live.source.readyState === 2) setTimeout(listen, 3000); });
}
/// A refresh costs the worker's server something: not more often than every 1.5 s, and 10 s with very many models.
function soon() {
  const gap = data.models.length > 200 && !view.model ? 10e3 : 1500;
  if (live.timer || document.hidden) { live.pending = live.pending || document.hidden; return; }
  live.timer = setTimeout(() => { live.timer = null; refresh(false); }, Math.max(200, live.lastRefresh + gap - Date.now()));
}
function showLive() {
  const silent = Date.now() - live.heardAt > 15e3;
  const box = $('live');
  const stale = silent || live.error;
  box.classList.toggle('stale', !!stale);
  const text = !live.heardAt ? 'connecting …' : stale ? 'stale since ' + time(live.heardAt + data.skew, 'clock') + ' ' + zoneName() : 'live';
  if ($('live-text').textContent !== text) $('live-text').textContent = text;
  banners();
}

let refreshing = false, again = false;
async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = true;
  live.lastRefresh = Date.now();
  try {
    const [overview, models] = await Promise.all([ask('overview'), ask('models')]);
    data.overview = overview;
    data.models = models.models;
    data.skew = overview.now_ms - Date.now();
    if (!view.model && data.models.length === 1 && !view.all) { view.model = data.models[0].model; }
    if (view.model) await refreshModel(); else data.pipeline = await quietly(ask('pipeline'));
    live.error = null;
    if (!live.heardAt) live.heardAt = Date.now();
  } catch (error) {
    live.error = error;
    if (error.status === 401) live.error = new Error('The worker asks for its token: reload the page.');
  }
  try { render(); } catch (error) { console.error(error); live.error = error; }
  showLive();
  refreshing = false;
  if (again) { again = false; soon(); }
}

async function refreshModel() {
  const model = view.model;
  const summary = data.models.find((entry) => entry.model === model);
  if (!summary) { data.detail = { missing: true }; return; }
  const to = summary.decided_at_ms || now();
  const window = { model, from: Math.max(0, to - view.range * DAY), to };
  const [own, series, load, trainings, alerts, pipeline] = await Promise.all([
    ask('model', { model }), quietly(ask('series', window)), quietly(ask('load', { model })), quietly(ask('trainings', { model })),
    quietly(ask('alerts', { model, limit: 50 })), quietly(ask('pipeline'))]);
  if (view.model !== model) return;
  data.pipeline = pipeline;
  data.detail = { summary: own.summary, event: own.decision, decision: own.decision ? own.decision.data : null, series, load, trainings, alerts, distributions: shapes.of === model ? shapes.last : null, window };
  askForShapes(model);
  if (!log.more) await loadLog(false);
}

/// Histograms come from the worker's own thread, which may be busy for seconds: nothing else waits for them, and the
/// last ones stay until there are newer ones. Asked again after a while where there are none yet.
const shapes = { of: null, last: null, asking: false, wait: 2000 };
async function askForShapes(model) {
  if (shapes.of !== model) Object.assign(shapes, { of: model, last: null, asking: false, wait: 2000 });
  if (shapes.asking) return;
  shapes.asking = true;
  const answer = await ask('distributions', { model }).catch(() => null);
  if (shapes.of !== model) return;
  shapes.asking = false;
  if (answer) { shapes.last = answer; shapes.wait = 2000; }
  else if (!shapes.last) { setTimeout(() => { if (view.model === model && shapes.of === model) askForShapes(model); }, shapes.wait); shapes.wait = Math.min(60e3, shapes.wait * 2); }
  if (answer && view.model === model && data.detail && !data.detail.missing) { data.detail.distributions = answer; metricsPanel(data.detail); }
}

async function loadLog(further) {
  const answer = await quietly(ask('decisions', { model: view.model, q: log.q, outcome: log.outcome, changes: log.changes ? 'true' : '', limit: 50,
    before: further && log.rows.length ? log.rows[log.rows.length - 1].at_ms : '' }));
  if (!answer) return;
  log.rows = further ? log.rows.concat(answer.rows) : answer.rows;
  log.matching = further ? log.matching : answer.matching;
  log.more = further;
}

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
/// Focus survives: the element with the same key gets it back.
function replace(node, children) {
  const focused = document.activeElement && node.contains(document.activeElement) ? document.activeElement.getAttribute('data-key') : null;
  node.replaceChildren(...[children].flat(3).filter(Boolean));
  if (focused) { const next = [...node.querySelectorAll('[data-key]')].find((entry) => entry.getAttribute('data-key') === focused); if (next) next.focus({ preventScroll: true }); }
}
function table(heads, rows, className) {
  return h('table', { class: className }, h('thead', null, h('tr', null, heads.map(([text, kind]) => h('th', { scope: 'col', class: kind }, text)))),
    h('tbody', null, rows.map((cells) => h('tr', null, cells.map((cell, index) => h('td', { class: heads[index][1], 'data-label': heads[index][0] }, h('span', null, cell)))))));
}
const empty = (text) => h('p', { class: 'empty' }, text);
const tile = (name, value, note, kind, sign) => h('div', { class: 'tile' }, h('dt', null, name), h('dd', { class: kind ? kind + '-ink' : null }, sign ? h('span', { 'aria-hidden': 'true' }, sign + ' ') : null, value, note ? h('small', null, note) : null));

// ---- Charts ----------------------------------------------------------------------------------------------------------

const patterns = () => s('defs', null, s('pattern', { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }, s('path', { d: 'M0 0V6', stroke: 'currentColor', 'stroke-width': 2, 'stroke-opacity': .55 })));
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

// ---- Banners ---------------------------------------------------------------------------------------------------------

function banners() {
  const list = [];
  const o = data.overview;
  if (live.error) list.push(['bad', 'The worker does not answer: ' + (live.error.message || live.error) + ' What is shown was last known at ' + time(live.heardAt + data.skew, 'clock') + ' ' + zoneName() + '.']);
  if (o) {
    if (!o.history.live && o.history.start_records) list.push(['', `Reading the history back from the topics: ${count(o.history.start_records - o.history.start_records_left)} of ${count(o.history.start_records)} records.`]);
    if (o.history.problem) list.push(['bad', 'The history cannot be read: ' + o.history.problem]);
    if (o.history.models_left_out) list.push(['warn', 'There are more models than this page keeps; some are left out.']);
    if (o.worker && o.worker.phase === 'restoring') list.push(['warn', 'The worker is restoring its state; decisions go on after that.']);
    if (o.worker && o.worker.phase === 'standing_by') list.push(['', 'This worker stands by; another one decides. All models are shown all the same.']);
    if (o.mode === 'observe') list.push(['', 'mode: observe – decisions are made and published, nothing is requested.']);
    if (o.worker && known(o.worker.last_checkpoint_at_ms) && now() - o.worker.last_checkpoint_at_ms > 300e3 && o.worker.lag > 0) list.push(['bad', 'No checkpoint for ' + duration(now() - o.worker.last_checkpoint_at_ms) + ' although records wait.']);
  }
  const box = $('banners'), text = JSON.stringify(list);
  if (box.dataset.shown === text) return;
  box.dataset.shown = text;
  box.replaceChildren(...list.map(([kind, words]) => h('p', { class: 'banner ' + kind, role: kind === 'bad' ? 'alert' : null }, words)));
}

/// How old what is shown is, by the decisions themselves.
function freshness(decidedAt, receivedAt) {
  const o = data.overview;
  if (!known(decidedAt)) return 'No decision yet.';
  const lag = now() - decidedAt;
  const received = known(receivedAt) && receivedAt > 0 ? `Decided ${duration(Math.max(0, now() - receivedAt))} ago` : 'Decided';
  const about = ` about ${time(decidedAt)} ${zoneName()}`;
  const late = lag > Math.max(3 * o.check_interval_ms, 15 * 60e3);
  return received + about + (late && o.decisions === 'all' ? ` – ${duration(lag)} behind the clock.` : '.');
}

// ---- All models ------------------------------------------------------------------------------------------------------

const RANK = { critical: 3, warning: 2, unknown: 1, healthy: 0 };
const COLUMNS = [
  ['model', 'Model', 'name', (m) => m.model], ['state', 'State', '', (m) => RANK[m.alert_level] * 10 + (m.sla_status === 'below' ? 5 : 0) + (m.current_drift_score || 0)],
  ['score', 'Drift score', 'num', (m) => m.current_drift_score ?? -1], ['week', '7 days', '', (m) => m.last_7_days.avg_drift_score ?? -1], ['accuracy', 'Accuracy', 'num', (m) => -(m.current_accuracy ?? 2)],
  ['buffer', 'Above SLA', 'num', (m) => -(m.buffer_above_sla ?? 2)], ['load', 'Load', 'num', (m) => m.current_load ?? -1], ['reason', 'Decision', '', (m) => reasonOf(m.reason.code)[1]],
  ['next', 'Next training', '', (m) => -(m.next_scheduled_training_ms ?? 9e15)], ['trained', 'This week', 'num', (m) => m.trainings_this_week ?? -1], ['alerts', 'Alerts', 'num', (m) => m.open_alerts]];

function renderFleet() {
  const models = data.models, o = data.overview;
  const by = (name) => models.filter((entry) => entry.alert_level === name).length;
  const below = models.filter((entry) => entry.sla_status === 'below');
  const next = models.filter((entry) => entry.next_scheduled_training_ms && entry.next_scheduled_training_why !== 'forced_refresh').sort((a, b) => a.next_scheduled_training_ms - b.next_scheduled_training_ms)[0];
  const open = models.filter((entry) => entry.open_request_id).length;
  const ofModels = (number) => `${count(number)} of ${count(models.length)} models ${number === 1 ? 'is' : 'are'}`;
  const [kind, sign] = below.length ? level('critical') : by('critical') ? level('critical') : by('warning') ? level('warning') : by('healthy') ? level('healthy') : level('unknown');
  const sentence = !models.length ? 'No decisions yet.' : below.length ? `${ofModels(below.length)} below the agreed accuracy.`
    : by('critical') ? `${by('critical')} of ${models.length} models drifted beyond the critical threshold; none is below its agreed accuracy.`
    : by('warning') ? `${by('warning')} of ${models.length} models drift a little; none needs a training yet.`
    : by('healthy') ? (models.length === 1 ? 'The one model is healthy.' : by('healthy') === models.length ? `All ${count(models.length)} models are healthy.` : `All ${by('healthy')} of ${models.length} models that can be judged are healthy.`) : `None of ${models.length} models can be judged yet.`;
  const then = [open ? `${open} training${open === 1 ? '' : 's'} requested or running.` : 'No training runs.', next ? [' Next: ', named(next.model, 80), `, ${time(next.next_scheduled_training_ms)} ${zoneName()}.`] : ''];
  const latest = Math.max(0, ...models.map((entry) => entry.decided_at_ms || 0)), received = Math.max(0, ...models.map((entry) => entry.received_at_ms || 0));
  const total = (pick) => models.reduce((sum, entry) => sum + (pick(entry) || 0), 0);
  const w = o.worker;
  const head = h('div', { id: 'fleet-head' }, h('section', { class: 'verdict ' + kind, 'aria-label': 'Verdict' }, h('span', { class: 'mark ' + kind + '-ink', 'aria-hidden': 'true' }, sign), h('h1', null, sentence), h('p', null, then), h('p', { class: 'soft small' }, models.length ? freshness(latest, received) : waitingFor(o)), models.length ? howToStop(null) : null),
    h('dl', { class: 'tiles four' }, tile('Models', count(models.length)), tile('Critical', by('critical'), 'score above the critical threshold', by('critical') ? 'bad' : '', by('critical') ? '■' : ''), tile('Warning', by('warning'), 'score above the warning threshold', by('warning') ? 'warn' : '', by('warning') ? '▲' : ''),
      tile('Healthy', by('healthy'), null, 'good', '●'), tile('Below SLA', below.length, null, below.length ? 'bad' : '', below.length ? '■' : ''), tile('Trainings, 7 days', total((entry) => entry.last_7_days.trainings_triggered), total((entry) => entry.last_7_days.trainings_skipped) + ' wanted and held'),
      tile('Open alerts', o.open_alerts.length + (o.open_alerts.length === 50 ? '+' : ''), null, o.open_alerts.length ? 'warn' : '', o.open_alerts.length ? '▲' : ''), tile('Lag', w && known(w.lag) ? count(w.lag) : '–', w && known(w.lag) ? 'records not yet read' : 'not known')));
  const before = $('fleet-head');
  if (before) before.replaceWith(head); else $('content').append(head, h('div', { class: 'grid', id: 'grid' }));
  const grid = $('grid');

  const list = panel('fleet', 'All models', '', ['models', {}]);
  if (!list.tools) {
    list.tools = h('div', { class: 'tools' }, h('label', { for: 'fleet-q', class: 'visually-hidden' }, 'Filter models'), h('input', { id: 'fleet-q', type: 'search', placeholder: 'Filter by model, state or reason', oninput: (event) => { fleet.q = event.target.value; render(); } }), h('span', { class: 'soft small', role: 'status', id: 'fleet-count' }));
    list.figure.before(list.tools);
    list.details.remove();
  }
  const words = fleet.q.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (entry) => `${entry.model} ${entry.model_version} ${entry.alert_level} ${entry.sla_status === 'below' ? 'below sla' : ''} ${entry.outcome} ${entry.reason.code} ${reasonOf(entry.reason.code)[1]}`.toLowerCase();
  const matching = models.filter((entry) => words.every((word) => text(entry).includes(word)));
  const column = COLUMNS.find((entry) => entry[0] === fleet.sort);
  matching.sort((a, b) => { const [p, q] = [column[3](a), column[3](b)]; const order = typeof p === 'string' ? p.localeCompare(q) : p - q; return (fleet.down ? -order : order) || a.model.localeCompare(b.model); });
  const shown = fleet.all ? matching : matching.slice(0, 100);
  $('fleet-count') && ($('fleet-count').textContent = `${count(matching.length)} of ${count(models.length)} models`);
  const heads = COLUMNS.map(([id, title, kind]) => h('th', { scope: 'col', class: kind, 'aria-sort': fleet.sort === id ? (fleet.down ? 'descending' : 'ascending') : null },
    h('button', { 'data-key': 'sort-' + id, onclick: () => { fleet.down = fleet.sort === id ? !fleet.down : id !== 'model' && id !== 'reason'; fleet.sort = id; render(); } }, title, fleet.sort === id ? (fleet.down ? ' ▾' : ' ▴') : '')));
  const rows = shown.map((entry) => {
    const [k, mark, word] = level(entry.alert_level);
    const cells = [link({ model: entry.model, decision: null }, named(entry.model, 120)), [stateLabel(k, mark, word), entry.sla_status === 'below' ? [' ', stateLabel('bad', '▼', 'below SLA')] : null], figure(entry.current_drift_score), spark(entry.spark, entry.thresholds.critical),
      percent(entry.current_accuracy), points(entry.buffer_above_sla), [known(entry.current_load) ? entry.current_load.toFixed(2) : '–', entry.is_quiet ? ' quiet' : ''], [chip(entry.reason.code, entry.outcome)],
      entry.open_request_id ? 'running' : isDue(entry) ? 'due' : entry.next_scheduled_training_ms ? time(entry.next_scheduled_training_ms, entry.next_scheduled_training_why === 'forced_refresh' ? 'day' : 'minute') : '–', `${entry.trainings_this_week ?? '–'} of ${entry.trainings_per_week_max}`, entry.open_alerts || '–'];
    return h('tr', null, cells.map((cell, index) => h('td', { class: COLUMNS[index][2], 'data-label': COLUMNS[index][1] }, h('span', null, cell))));
  });
  show(list, 'Worst first. Choose a model for everything about it.', models.length ? [h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'All models', 'data-key': 'fleet-scroll' }, h('table', { class: 'cards' }, h('thead', null, h('tr', null, heads)), h('tbody', null, rows))),
    shown.length < matching.length ? h('p', null, h('button', { onclick: () => { fleet.all = true; render(); } }, `Show all ${count(matching.length)}`)) : null] : empty(waitingFor(o)));
  list.figure.firstElementChild && (list.figure.firstElementChild.style.maxHeight = '70vh');
  place(grid, [list.section, alertsPanel(o.open_alerts.map((entry) => ({ ...entry, state: 'raised', open: true })), null), pipelinePanel(data.pipeline)]);
}
function waitingFor(o) {
  if (!o.history.live && o.history.start_records) return 'The history is being read back from the topics.';
  return 'The first decision comes with the first boundary of ' + duration(o.check_interval_ms) + ' that predictions and actuals cross.';
}
function place(grid, sections) {
  const wanted = sections.filter(Boolean);
  wanted.forEach((section, index) => { if (grid.children[index] !== section) grid.insertBefore(section, grid.children[index] || null); });
  while (grid.children.length > wanted.length) grid.lastElementChild.remove();
}

// ---- One model -------------------------------------------------------------------------------------------------------

function renderModel() {
  const d = data.detail, content = $('content');
  if (!d || d.missing) {
    content.replaceChildren(h('section', { class: 'verdict' }, h('span', { class: 'mark', 'aria-hidden': 'true' }, '○'), h('h1', null, 'Nothing is known of a model called ', named(view.model, 120), '.'), h('p', null, h('a', { href: location.pathname + '?all=1', 'data-nav': true }, 'All models'))));
    panels.clear();
    return;
  }
  const m = d.summary, [kind, sign] = m.sla_status === 'below' ? level('critical') : level(m.alert_level);
  const head = h('div', { id: 'model-head' }, verdict(m, kind, sign), tiles(m, d));
  const before = $('model-head');
  if (before) before.replaceWith(head); else content.replaceChildren(head, h('div', { class: 'grid', id: 'grid' }));
  const grid = $('grid');
  place(grid, [driftPanel(d), accuracyPanel(d), timelinePanel(d), breakdownPanel(d), metricsPanel(d), loadPanel(d), trainingsPanel(d), logPanel(d), alertsPanel(d.alerts ? d.alerts.rows : [], view.model), pipelinePanel(data.pipeline)]);
}

/// By the time of the decisions, which may lag behind the clock.
const isDue = (m) => known(m.next_scheduled_training_ms) && m.next_scheduled_training_ms <= m.decided_at_ms;

/// Of a model that has no score: what stands in the way.
const BLIND = { insufficient_data: 'has too little data to be judged', paused: 'is paused: no training is triggered', no_predictions: 'predicts nothing', stalled_input: 'gets no input', no_baseline: 'is still learning its baseline', catching_up: 'is catching up with its input' };

function verdict(m, kind, sign) {
  const words = { healthy: 'is healthy', warning: 'drifts a little', critical: 'has drifted', unknown: BLIND[m.reason.code] || 'cannot be judged yet' };
  const target = percent(m.sla_target, 0);
  const sla = { above: `Accuracy ${percent(m.current_accuracy)}, ${(m.buffer_above_sla * 100).toFixed(1)} points above the agreed ${target}.`, below: `Accuracy ${percent(m.current_accuracy)} is below the agreed ${target}.` }[m.sla_status] || '';
  const state = m.reason.code === 'paused' ? BLIND.paused : m.sla_status === 'below' ? `is below its agreed accuracy${m.alert_level === 'critical' ? ' and has drifted' : ''}` : words[m.alert_level];
  const isLast = m.next_scheduled_training_why === 'forced_refresh';
  const next = m.open_request_id ? `Training ${m.open_request_id} is open.` : isDue(m) ? `A training is due since ${time(m.next_scheduled_training_ms, 'day')}.` : m.next_scheduled_training_ms ? `Next training ${isLast ? 'at the latest' : 'expected'} ${time(m.next_scheduled_training_ms, isLast ? 'day' : 'minute')}${isLast ? '' : ' ' + zoneName()}.` : '';
  return h('section', { class: 'verdict ' + kind, 'aria-label': 'Verdict' }, h('span', { class: 'mark ' + kind + '-ink', 'aria-hidden': 'true' }, sign), h('h1', null, named(m.model, 80), ` ${state}. ${sla}`),
    h('p', null, m.outcome === 'trigger' ? 'Triggered: ' : m.outcome ? 'Held: ' : '', m.decision_id ? [link({ decision: m.decision_id }, reasonOf(m.reason.code)[1]), '. '] : '', m.reason.text || '', ' ', next),
    h('p', { class: 'soft small' }, freshness(m.decided_at_ms, m.received_at_ms), m.model_version ? ' Version ' + m.model_version + '. ' : ' ', data.models.length > 1 ? h('a', { href: location.pathname + '?all=1', 'data-nav': true }, `All ${count(data.models.length)} models`) : null),
    howToStop(m));
}

/// The page only shows; whoever is to stop something does it by the command line, and it is in the log.
function howToStop(m) {
  // For a name that a shell or a reader could take for something else: left to be typed.
  const name = !m ? null : /^[\w.@:+/-]{1,80}$/.test(m.model) ? m.model : 'NAME';
  const of = m ? ' --model ' + name : '';
  const paused = m && m.reason.code === 'paused';
  const lines = [paused ? ['Let it trigger again', 'driftgate resume' + of] : [m ? 'Trigger nothing for this model' : 'Trigger nothing for any model', 'driftgate pause' + of]];
  if (m && m.open_request_id) lines.push(['Call the open request off', 'driftgate request cancel' + of]);
  if (m && !m.open_request_id && !paused) lines.push(['Train now all the same', `driftgate request${of} --reason "…"`]);
  if (m && !paused) lines.push(['Stop all models', 'driftgate pause']);
  if (!m) lines.push(['Let them trigger again', 'driftgate resume']);
  return h('details', { class: 'stop', open: view.stop, 'data-key': 'stop', ontoggle: (event) => { view.stop = event.target.open; } }, h('summary', null, paused ? 'How to resume it' : 'How to stop it'),
    lines.map(([what, command]) => h('p', null, what + ': ', h('code', null, command))), h('p', { class: 'soft' }, 'With the worker’s configuration (--config). Evaluations go on meanwhile; what is open is not touched by a pause.'));
}

function tiles(m, d) {
  const [kind, sign, word] = level(m.alert_level);
  const week = m.last_7_days;
  const t = m.thresholds;
  return h('dl', { class: 'tiles' },
    tile('Drift score', figure(m.current_drift_score), `${word}: ${m.alert_level === 'critical' ? 'above ' + limitText(t.critical) : m.alert_level === 'warning' ? `${limitText(t.warning)} to ${limitText(t.critical)}` : m.alert_level === 'healthy' ? 'below ' + limitText(t.warning) : 'nothing to judge by'}`, kind, sign),
    tile('Accuracy', percent(m.current_accuracy), m.sla_status === 'unknown' ? 'not known' : `${m.sla_status} SLA, target ${percent(m.sla_target, 0)}`, m.sla_status === 'below' ? 'bad' : m.sla_status === 'above' ? 'good' : '', m.sla_status === 'below' ? '▼' : m.sla_status === 'above' ? '●' : ''),
    tile('Buffer above SLA', points(m.buffer_above_sla)),
    tile('Since last training', known(m.days_since_last_training) ? m.days_since_last_training.toFixed(1) + ' days' : '–', m.last_training_is_assumed ? 'assumed: first seen then' : m.last_training_at_ms ? time(m.last_training_at_ms) : ''),
    tile('Trainings this week', `${m.trainings_this_week ?? '–'} of ${m.trainings_per_week_max}`),
    tile('Next training', m.open_request_id ? 'running' : isDue(m) ? 'due' : m.next_scheduled_training_ms ? time(m.next_scheduled_training_ms, m.next_scheduled_training_why === 'forced_refresh' ? 'day' : 'minute') : '–', { planned_window: 'planned quiet window', next_quiet_window: 'next quiet window', forced_refresh: 'at the latest: forced refresh' }[m.next_scheduled_training_why] || (m.next_scheduled_training_why ? reasonOf(m.next_scheduled_training_why)[1] : '')),
    tile('Load now', known(m.current_load) ? m.current_load.toFixed(2) : '–', m.is_quiet === null ? 'not known' : m.is_quiet ? 'quiet' : 'not quiet', '', m.is_quiet ? '☾' : ''),
    tile('Last 7 days', `${week.trainings_triggered} triggered`, `${week.trainings_skipped} wanted and held · ${week.sla_breaches} SLA breaches`),
    tile('7-day averages', figure(week.avg_drift_score), `drift score · accuracy ${percent(week.avg_accuracy)}`),
    tile('Open alerts', m.open_alerts, null, m.open_alerts ? 'warn' : '', m.open_alerts ? '▲' : ''));
}

/// Triggers, trainings and verdicts, as marks over a chart.
function marks(d) {
  const list = [];
  for (const row of d.trainings ? d.trainings.rows : []) {
    list.push({ at: row.requested_at_ms, shape: 'up', kind: 'accent', text: `Training requested ${time(row.requested_at_ms)}: ${reasonOf(row.reason)[1]}` });
    if (row.ended_at_ms) list.push({ at: row.ended_at_ms, shape: row.status === 'succeeded' ? 'dot' : 'cross', kind: row.status === 'succeeded' ? 'good' : 'bad', text: `Training ${row.status} ${time(row.ended_at_ms)}` });
    if (row.verdict_at_ms) list.push({ at: row.verdict_at_ms, shape: row.verdict === 'regressed' ? 'cross' : 'check', kind: row.verdict === 'regressed' ? 'bad' : 'good', text: `Verdict ${time(row.verdict_at_ms)}: ${row.verdict}` });
  }
  return list;
}
const markLegend = (...first) => h('ul', { class: 'legend' }, first, [['up', 'accent', 'training requested'], ['dot', 'good', 'succeeded'], ['cross', 'bad', 'failed, or regressed'], ['check', 'good', 'verdict: improved or neutral']].map(([name, kind, text]) => key(s('path', { class: 'mark ' + kind, d: shape[name], transform: 'translate(8 6) scale(.75)' }), text)));

function seriesTable(d, columns) {
  const c = d.series.columns;
  return table([['Time, ' + zoneName()], ...columns.map(([title]) => [title, 'num']), ['Decision']], c.at_ms.map((at, index) => [time(at), ...columns.map(([, name, format]) => format(c[name][index])), reasonOf(c.reason[index])[1]]).reverse());
}
function span(values) { const list = values.filter(known); return list.length ? [Math.min(...list), Math.max(...list)] : null; }

function driftPanel(d) {
  const parts = panel('drift', `Drift score, ${view.range === 1 ? '24 hours' : view.range + ' days'}`, 'half', ['series', d.window]);
  parts.section.querySelector('h2').textContent = `Drift score, ${view.range === 1 ? '24 hours' : view.range + ' days'}`;
  const c = d.series && d.series.columns, bounds = c && span(c.score);
  if (!bounds) return show(parts, 'No scores in this range.', empty(noScore(d)));
  const t = d.series.thresholds, high = Math.max(t.critical * 1.6, bounds[1] * 1.08, (span(c.plain_score) || bounds)[1] * 1.04);
  const above = c.score.filter((value) => known(value) && value > t.critical).length;
  const summary = `Now ${figure(c.score[c.score.length - 1])}; between ${figure(bounds[0])} and ${figure(bounds[1])}, ${above ? `${above} of ${c.score.length} points above the critical ${limitText(t.critical)}` : `never above the critical ${limitText(t.critical)}`}.`;
  const chart = timeChart('drift-chart', parts.figure, { at: c.at_ms, from: d.window.from, to: d.window.to, low: 0, high, step: niceStep(high, 5), format: (value) => value.toFixed(2), label: 'Drift score over time. ' + summary,
    zones: [{ kind: 'good', from: 0, to: t.warning }, { kind: 'warn', from: t.warning, to: t.critical }, { kind: 'bad', from: t.critical, to: high }],
    limits: [{ at: t.warning, kind: 'warn', below: true, text: '▲ warning ' + limitText(t.warning) }, { at: t.critical, kind: 'bad', text: '■ critical ' + limitText(t.critical) }],
    lines: [{ values: c.score, area: true }, { values: c.plain_score, kind: 'two' }], marks: marks(d),
    tip: (index) => `${time(c.at_ms[index])} ${zoneName()}\nscore ${figure(c.score[index])} (plain ${figure(c.plain_score[index])})\n${c.outcome[index]}: ${reasonOf(c.reason[index])[1]}` });
  return show(parts, summary, [chart, markLegend(key(s('path', { class: 'line', d: 'M0 6H18' }), 'score'), key(s('path', { class: 'line two', d: 'M0 6H18' }), 'plain score, without noise floors'))], () => seriesTable(d, [['Score', 'score', figure], ['Plain score', 'plain_score', figure]]));
}
function niceStep(range, parts) { const raw = range / parts, power = 10 ** Math.floor(Math.log10(raw)); return [1, 2, 2.5, 5, 10].map((value) => value * power).find((value) => value >= raw); }
function noScore(d) { return d.decision ? reasonOf(d.decision.reason.code)[1] + ': ' + d.decision.reason.text : 'No decisions in this range.'; }

function accuracyPanel(d) {
  const parts = panel('accuracy', 'Accuracy', 'half', ['series', d.window]);
  parts.section.querySelector('h2').textContent = `Accuracy, ${view.range === 1 ? '24 hours' : view.range + ' days'}`;
  const c = d.series && d.series.columns, bounds = c && span(c.accuracy);
  if (!bounds) return show(parts, 'No accuracy in this range.', empty(noScore(d)));
  const target = d.series.thresholds.accuracy, low = Math.max(0, Math.min(target - .08, bounds[0] - .02));
  const below = c.accuracy.filter((value) => known(value) && value < target).length;
  const summary = `Now ${percent(c.accuracy[c.accuracy.length - 1])}; between ${percent(bounds[0])} and ${percent(bounds[1])}, ${below ? `${below} of ${c.accuracy.length} points below the agreed ${percent(target, 0)}` : `never below the agreed ${percent(target, 0)}`}.`;
  const chart = timeChart('accuracy-chart', parts.figure, { at: c.at_ms, from: d.window.from, to: d.window.to, low, high: 1, step: niceStep(1 - low, 5), format: (value) => (value * 100).toFixed(1).replace('.0', '') + ' %', label: 'Accuracy over time. ' + summary,
    zones: [{ kind: 'bad', from: low, to: target }, { kind: 'good', from: target, to: 1 }], limits: [{ at: target, kind: 'bad', text: `▼ SLA ${percent(target, 0)}` }], lines: [{ values: c.accuracy }], marks: marks(d),
    tip: (index) => `${time(c.at_ms[index])} ${zoneName()}\naccuracy ${percent(c.accuracy[index])}\n${c.outcome[index]}: ${reasonOf(c.reason[index])[1]}` });
  return show(parts, summary, [chart, markLegend()], () => seriesTable(d, [['Accuracy', 'accuracy', percent], ['Error term', 'prediction_error', figure]]));
}

/// Runs of the same decision, as stretches.
function stretches(columns) {
  const list = [];
  columns.at_ms.forEach((at, index) => {
    const last = list[list.length - 1];
    if (last && last.reason === columns.reason[index] && last.outcome === columns.outcome[index] && last.outcome !== 'trigger') { last.to = at; last.count += 1; last.score = Math.max(last.score, columns.score[index] || 0); }
    else list.push({ from: at, to: at, reason: columns.reason[index], outcome: columns.outcome[index], count: 1, score: columns.score[index] || 0 });
  });
  list.forEach((entry, index) => { if (list[index + 1]) entry.to = list[index + 1].from; });
  return list;
}

function timelinePanel(d) {
  const parts = panel('timeline', 'What was decided, and what held it', '', ['decisions', { model: view.model, changes: 'true', limit: 5000 }]);
  const c = d.series && d.series.columns;
  if (!c || !c.at_ms.length) return show(parts, 'No decisions in this range.', empty('No decisions in this range.'));
  const list = stretches(c), width = widthOf(parts.figure), { from, to } = d.window, left = 4;
  const x = (value) => left + (value - from) / Math.max(1, to - from) * (width - 2 * left);
  const held = new Map();
  for (const entry of list) if (['safeguard', 'quiet'].includes(reasonOf(entry.reason)[0])) held.set(entry.reason, (held.get(entry.reason) || 0) + entry.to - entry.from);
  const longest = [...held].sort((a, b) => b[1] - a[1])[0];
  const triggers = list.filter((entry) => entry.outcome === 'trigger').length;
  const summary = `${triggers} trigger${triggers === 1 ? '' : 's'}. ` + (longest ? `What held longest: ${reasonOf(longest[0])[1]}, ${duration(longest[1])} in all.` : 'No safeguard held anything.');
  const svg = s('svg', { class: 'strip', viewBox: `0 0 ${width} 74`, role: 'img', 'aria-label': 'Decisions over time. ' + summary });
  for (const entry of list) {
    const kind = reasonOf(entry.reason)[0], wide = Math.max(entry.outcome === 'trigger' ? 3 : 1, x(entry.to) - x(entry.from)), label = reasonOf(entry.reason)[1];
    const rise = { fine: 16, blind: 16, safeguard: 26, quiet: 26, trigger: 40 }[kind];
    svg.append(s('g', null, s('title', null, `${time(entry.from)} – ${time(entry.to)}: ${entry.outcome}, ${label}`), s('rect', { class: 'k-' + kind, x: x(entry.from), width: wide, y: 50 - rise, height: rise }),
      entry.outcome === 'trigger' ? s('path', { class: 'mark accent', d: shape.up, transform: `translate(${x(entry.from) + 1} 6) scale(.8)` }) : wide > label.length * 6.4 ? s('text', { x: x(entry.from) + 4, y: 50 - rise / 2 + 4 }, label) : null));
  }
  for (const [tick, label] of timeTicks(from, to, width)) svg.append(s('text', { x: Math.min(width - 26, Math.max(22, x(tick))), y: 68, 'text-anchor': 'middle' }, label));
  const recent = list.slice(-8).reverse();
  return show(parts, summary, [svg, h('ul', { class: 'legend' }, Object.entries(KINDS).map(([kind, text]) => key(s('rect', { class: 'k-' + kind, width: 16, height: { fine: 4, blind: 4, safeguard: 8, quiet: 8, trigger: 12 }[kind], y: 12 - { fine: 4, blind: 4, safeguard: 8, quiet: 8, trigger: 12 }[kind] }), text))),
    h('ol', { class: 'stretches', 'aria-label': 'The latest stretches, newest first' }, recent.map((entry) => h('li', null, h('span', { class: 'soft' }, entry.outcome === 'trigger' ? time(entry.from) : `${time(entry.from)} – ${entry === recent[0] ? 'now' : time(entry.to)}`),
      h('span', null, chip(entry.reason, entry.outcome), ' ', entry.outcome === 'trigger' ? 'training triggered: ' : entry.count > 1 ? `held ${duration(entry.to - entry.from)}: ` : 'held: ', reasonOf(entry.reason)[2], known(entry.score) && entry.score > 0 ? `; score up to ${figure(entry.score)}` : '', ' · ', link({ decision: `${view.model}@${entry.from}` }, 'evidence')))))],
    () => table([['From, ' + zoneName()], ['To'], ['Outcome'], ['Reason'], ['Decisions', 'num'], ['Highest score', 'num']], list.slice().reverse().map((entry) => [time(entry.from), time(entry.to), entry.outcome, reasonOf(entry.reason)[1], entry.count, figure(entry.score)])));
}

const TERMS = [['prediction_error', 'Prediction error'], ['distribution_shift', 'Distribution shift'], ['feature_drift', 'Mean shift'], ['anomaly_rate', 'Anomaly rate']];
function breakdownPanel(d) {
  const parts = panel('breakdown', 'What the score is made of', 'third', ['series', d.window]);
  const signal = d.decision && d.decision.signal;
  if (!signal) return show(parts, 'No score to take apart.', empty(noScore(d)));
  const rows = TERMS.map(([id, name]) => ({ name, term: signal.terms[id], weight: signal.weights[id], part: (signal.terms[id] || 0) * signal.weights[id], plain: signal.plain_terms[id] }));
  const most = rows.slice().sort((a, b) => b.part - a.part)[0], high = Math.max(d.summary.thresholds.critical, ...rows.map((row) => row.part));
  const summary = most.part > 0 ? `Most of it is ${most.name.toLowerCase()}: ${figure(most.part)} of ${figure(signal.weighted_score ?? signal.score)}. ${signal.scoring === 'calibrated' ? 'Terms count above their own noise floor.' : 'Terms count as they are.'}` : 'No term is above its own noise floor.';
  return show(parts, summary, [h('div', { class: 'bars' }, rows.map((row) => { const bar = h('i'); bar.style.width = Math.min(100, row.part / high * 100) + '%'; return [h('span', null, row.name), h('span', { class: 'bar', 'aria-hidden': 'true' }, bar), h('span', null, figure(row.part))]; })),
    h('p', { class: 'soft small' }, `The whole bar stands for ${figure(high, 2)}${high === d.summary.thresholds.critical ? ', the critical threshold' : ''}. Healthy below ${limitText(d.summary.thresholds.warning)}, warning to ${limitText(d.summary.thresholds.critical)}, critical above.`)],
    () => table([['Term'], ['Weight', 'num'], ['Term', 'num'], ['Contribution', 'num'], ['Plain term', 'num']], rows.map((row) => [row.name, row.weight, figure(row.term), figure(row.part), figure(row.plain)])));
}

function histogram(metric) {
  const w = 200, height = 60, bins = Math.max(metric.baseline.length, metric.window.length);
  const share = (list) => { const total = list.reduce((sum, value) => sum + value, 0); return list.map((value) => total ? value / total : 0); };
  const base = share(metric.baseline), current = share(metric.window), high = Math.max(.001, ...base, ...current), step = w / Math.max(1, bins);
  let outline = base.length ? 'M0 52' : '';
  base.forEach((value, index) => { outline += `L${(index * step).toFixed(1)} ${(52 - value / high * 48).toFixed(1)}L${((index + 1) * step).toFixed(1)} ${(52 - value / high * 48).toFixed(1)}`; });
  return s('svg', { viewBox: `0 0 ${w} ${height + 8}`, role: 'img', 'aria-label': `${plainName(metric.metric)}: baseline mean ${figure(metric.baseline_mean, 2)}, now ${figure(metric.window_mean, 2)}` },
    current.map((value, index) => s('rect', { class: 'hist-now', x: index * step + .5, width: Math.max(1, step - 1), y: 52 - value / high * 48, height: value / high * 48 })), outline ? s('path', { class: 'hist-base', d: outline + `L${w} 52` }) : null,
    s('text', { x: 0, y: 66 }, short(metric.from)), s('text', { x: w, y: 66, 'text-anchor': 'end' }, short(metric.to)));
}
/// Significant alone says little of many samples: what counts is beyond the metric's own noise floor.
const beyond = (metric) => metric.drifted && (!known(metric.ks_floor) || !known(metric.ks_statistic) || metric.ks_statistic > metric.ks_floor);
const metricState = (metric) => beyond(metric) ? ['warn', '▲', 'drifted'] : metric.drifted ? ['idle', '○', 'within noise'] : ['good', '●', 'steady'];
const short = (value) => known(value) ? Math.abs(value) >= 1e5 || (value && Math.abs(value) < .01) ? value.toExponential(1) : String(Math.round(value * 100) / 100) : '';

function metricsPanel(d) {
  const parts = panel('metrics', 'Metrics that drift most', 'twothirds', ['distributions', { model: view.model }]);
  const list = d.decision && d.decision.signal ? d.decision.signal.metrics : [];
  if (!list.length && !(d.distributions && d.distributions.metrics.length)) return show(parts, 'No metric has been compared yet.', empty(noScore(d)));
  const shapes = new Map((d.distributions ? d.distributions.metrics : []).map((metric) => [metric.metric, metric]));
  const excess = (metric) => (beyond(metric) ? 1 : 0) + Math.max(0, (metric.ks_statistic ?? -1) - (metric.ks_floor ?? 0));
  const order = (list.length ? list.slice() : [...shapes.values()]).sort((a, b) => excess(b) - excess(a));
  const drifted = list.filter(beyond).length, seen = d.distributions && d.distributions.seen_at_ms;
  const summary = `${drifted} of ${order.length} metrics differ from their baseline by more than their noise floor` + (d.distributions ? '' : '. Histograms are with the worker that holds this model') + `. Bars: now${seen && now() - seen > 60e3 ? ` (seen ${duration(now() - seen)} ago)` : ''}; line: baseline.`;
  return show(parts, summary, h('div', { class: 'metrics' }, order.slice(0, 6).map((metric) => h('div', { class: 'metric' }, h('h4', null, h('span', null, named(metric.metric, 60)), stateLabel(...metricState(metric))), shapes.has(metric.metric) ? histogram(shapes.get(metric.metric)) : null,
    h('p', null, `KS ${figure(metric.ks_statistic)} (floor ${figure(metric.ks_floor)}), mean shift ${figure(metric.mean_shift, 2)} σ, error ${figure(metric.error)}`)))),
    () => table([['Metric', 'name'], ['State'], ['KS statistic', 'num'], ['Floor', 'num'], ['p', 'num'], ['Mean shift, σ', 'num'], ['Error', 'num'], ['Baseline mean', 'num'], ['Mean now', 'num'], ['Samples', 'num']],
      order.map((metric) => [named(metric.metric), metricState(metric)[2], figure(metric.ks_statistic), figure(metric.ks_floor), known(metric.p_value) ? metric.p_value.toExponential(1) : '–', figure(metric.mean_shift, 2), figure(metric.error), figure((shapes.get(metric.metric) || {}).baseline_mean, 2), figure((shapes.get(metric.metric) || {}).window_mean, 2), count(metric.samples)])));
}

function loadPanel(d) {
  const parts = panel('load', 'Load by hour of the week', '', ['load', { model: view.model }]);
  const rows = d.load ? d.load.rows : [];
  if (!rows.length) return show(parts, 'No load has been seen.', empty('Without load, 02:00 to 05:00 counts as quiet unless configured otherwise.'));
  const cells = Array.from({ length: 168 }, () => ({ sum: 0, quiet: 0, count: 0 }));
  for (const row of rows) { const cell = cells[weekHour(row.hour_ms)]; cell.sum += row.load; cell.quiet += row.quiet_share; cell.count += 1; }
  const load = (index) => cells[index].count ? cells[index].sum / cells[index].count : null, quiet = (index) => cells[index].count > 0 && cells[index].quiet / cells[index].count >= .5;
  const window = d.load.planned_window || d.load.next_window, inWindow = new Set();
  if (window) for (let at = window.from_ms; at < window.to_ms; at += 15 * 60e3) inWindow.add(weekHour(at));
  const values = cells.map((_, index) => load(index)).filter(known), low = Math.min(...values), high = Math.max(...values);
  const width = widthOf(parts.figure), left = 38, cw = (width - left - 4) / 24, ch = 24, top = 18;
  const svg = s('svg', { class: 'heat', viewBox: `0 0 ${width} ${top + 7 * ch + 6}`, role: 'img' }, patterns());
  for (let hour = 0; hour < 24; hour += cw < 24 ? 3 : 1) svg.append(s('text', { x: left + (hour + .5) * cw, y: 13, 'text-anchor': 'middle' }, String(hour).padStart(2, '0')));
  WEEKDAYS.forEach((name, day) => {
    svg.append(s('text', { x: 2, y: top + day * ch + 16 }, name));
    for (let hour = 0; hour < 24; hour += 1) {
      const index = day * 24 + hour, value = load(index), px = left + hour * cw, py = top + day * ch, share = known(value) ? (value - low) / Math.max(.0001, high - low) : 0;
      const cell = s('rect', { class: known(value) ? 'cell' : 'cell none-cell', x: px, y: py, width: cw, height: ch });
      if (known(value)) cell.style.fill = `rgb(var(--heat) / ${(.06 + .72 * share).toFixed(2)})`;
      svg.append(s('g', null, s('title', null, `${name} ${String(hour).padStart(2, '0')}:00: ${known(value) ? 'load ' + value.toFixed(2) + (quiet(index) ? ', quiet' : '') : 'not seen'}${inWindow.has(index) ? ', next window' : ''}`), cell,
        known(value) && cw > 26 ? s('text', { class: share > .62 ? 'strong' : '', x: px + cw / 2, y: py + 16, 'text-anchor': 'middle' }, (value * 100).toFixed(0)) : null, inWindow.has(index) ? s('rect', { class: 'window-edge', x: px + 1, y: py + 1, width: cw - 2, height: ch - 2, fill: 'url(#hatch)' }) : null));
    }
  });
  // Quiet hours are outlined together: an edge where a neighbour is not quiet.
  let edge = '';
  for (let day = 0; day < 7; day += 1) for (let hour = 0; hour < 24; hour += 1) {
    if (!quiet(day * 24 + hour)) continue;
    const px = left + hour * cw, py = top + day * ch;
    if (hour === 0 || !quiet(day * 24 + hour - 1)) edge += `M${px} ${py}v${ch}`;
    if (hour === 23 || !quiet(day * 24 + hour + 1)) edge += `M${px + cw} ${py}v${ch}`;
    if (day === 0 || !quiet((day - 1) * 24 + hour)) edge += `M${px} ${py}h${cw}`;
    if (day === 6 || !quiet((day + 1) * 24 + hour)) edge += `M${px} ${py + ch}h${cw}`;
  }
  svg.append(s('path', { class: 'quiet-edge', d: edge }));
  const quietest = cells.map((_, index) => [load(index), index]).filter(([value]) => known(value)).sort((a, b) => a[0] - b[0])[0];
  const summary = `Mean load of 28 days, in ${zoneName()}: from ${low.toFixed(2)} to ${high.toFixed(2)}, lowest ${WEEKDAYS[Math.floor(quietest[1] / 24)]} ${String(quietest[1] % 24).padStart(2, '0')}:00. ` + (window ? `${d.load.planned_window ? 'Planned' : 'Next quiet'} window: ${time(window.from_ms)} to ${time(window.to_ms)}.` : 'No quiet window is in sight.');
  svg.setAttribute('aria-label', summary);
  return show(parts, summary, [svg, h('ul', { class: 'legend' }, key(s('rect', { class: 'quiet-edge', x: 1, y: 1, width: 16, height: 10 }), 'mostly quiet'), key([s('rect', { class: 'window-edge', x: 1, y: 1, width: 16, height: 10, fill: 'none' }), s('path', { d: 'M3 11L11 1M8 11L16 1', stroke: 'currentColor' })], 'next window'), h('li', null, 'numbers: load × 100; darker is busier'))],
    () => table([['Hour'], ...WEEKDAYS.map((name) => [name, 'num'])], Array.from({ length: 24 }, (_, hour) => [String(hour).padStart(2, '0') + ':00', ...WEEKDAYS.map((_, day) => { const index = day * 24 + hour; return known(load(index)) ? load(index).toFixed(2) + (quiet(index) ? ' quiet' : '') + (inWindow.has(index) ? ' next' : '') : '–'; })])));
}

function trainingsPanel(d) {
  const parts = panel('trainings', 'Trainings', '', ['trainings', { model: view.model }]);
  const rows = d.trainings ? d.trainings.rows : [];
  if (!rows.length) return show(parts, 'None has been requested.', empty('No training has been requested within the retention.'));
  const judged = rows.filter((row) => row.verdict), better = judged.filter((row) => row.verdict === 'improved').length;
  const signs = { improved: ['good', '✔'], neutral: ['idle', '○'], regressed: ['bad', '✖'] }, states = { succeeded: ['good', '✔'], failed: ['bad', '✖'], rejected: ['bad', '✖'], cancelled: ['idle', '○'] };
  const change = (row) => known(row.accuracy_before) ? [percent(row.accuracy_before), ' → ', percent(row.accuracy_after), known(row.accuracy_after) ? h('span', { class: row.accuracy_after >= row.accuracy_before ? 'good-ink' : 'bad-ink' }, ` (${points(row.accuracy_after - row.accuracy_before)})`) : null] : '–';
  const safe = (url) => /^https?:\/\//i.test(url || '');
  const list = table([['Requested, ' + zoneName()], ['Why'], ['Status'], ['Version'], ['Accuracy before → after'], ['Verdict'], ['Request']], rows.map((row) => [link({ decision: row.decision_id }, time(row.requested_at_ms)), [chip(row.reason, 'trigger'), row.attempt > 1 ? ` attempt ${row.attempt}` : ''],
    [stateLabel((states[row.status] || ['warn', '…'])[0], (states[row.status] || ['warn', '…'])[1], row.status), row.ended_at_ms ? h('small', { class: 'soft nowrap' }, ' after ' + duration(row.ended_at_ms - row.requested_at_ms)) : null, row.errors ? h('div', { class: 'small soft' }, row.errors) : null],
    row.new_version || '–', change(row), row.verdict ? [stateLabel(...signs[row.verdict] || ['idle', '○'], row.verdict), known(row.error_ratio) ? h('span', { class: 'soft small' }, ` error × ${figure(row.error_ratio, 2)}`) : null, row.recommends_rollback ? h('div', { class: 'bad-ink small' }, '▼ roll back') : null] : row.status === 'succeeded' ? 'being verified' : '–',
    [h('code', { class: 'small' }, row.request_id), safe(row.url) ? [' ', h('a', { href: row.url, rel: 'noreferrer noopener', target: '_blank' }, row.run_id || 'run')] : row.run_id ? ' ' + row.run_id : null]]), 'cards');
  return show(parts, `${rows.length} requested; ${judged.length} judged, ${better} of them improved the model.`, h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Trainings', 'data-key': 'trainings-scroll' }, list));
}

function logPanel() {
  const parts = panel('log', 'Decision log', '', ['decisions', { model: view.model, q: log.q, outcome: log.outcome, changes: log.changes ? 'true' : 'false', limit: 5000 }]);
  if (!parts.tools) {
    const search = () => { log.more = false; clearTimeout(parts.wait); parts.wait = setTimeout(() => loadLog(false).then(() => logPanel()), 250); };
    parts.tools = h('div', { class: 'tools' }, h('label', { class: 'visually-hidden', for: 'log-q' }, 'Search decisions'), h('input', { type: 'search', id: 'log-q', placeholder: 'Search: reason, outcome, version, date', value: log.q, oninput: (event) => { log.q = event.target.value; search(); } }),
      h('label', null, 'Outcome ', h('select', { onchange: (event) => { log.outcome = event.target.value; search(); } }, [['', 'all'], ['trigger', 'triggers'], ['hold', 'holds']].map(([value, text]) => h('option', { value }, text)))),
      h('label', null, h('input', { type: 'checkbox', checked: log.changes, onchange: (event) => { log.changes = event.target.checked; search(); } }), ' only where the reason changed'));
    parts.tools.querySelector('[type=checkbox]').style.minHeight = '0';
    parts.figure.before(parts.tools);
    parts.details.remove();
  }
  const rows = log.rows.map((row) => [link({ decision: row.id }, time(row.at_ms)), row.outcome === 'trigger' ? stateLabel('warn', '▶', 'trigger') : 'hold', chip(row.reason, row.outcome), figure(row.score), percent(row.accuracy), known(row.load) ? row.load.toFixed(2) + (row.quiet ? ' ☾' : '') : '–', row.model_version || '–']);
  return show(parts, `${count(log.matching)} match. Each is a link to the whole evidence; older than 8 days, the hour's worst is kept.`, rows.length ? [h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Decisions', 'data-key': 'log-scroll' }, table([['Decided, ' + zoneName()], ['Outcome'], ['Reason'], ['Score', 'num'], ['Accuracy', 'num'], ['Load', 'num'], ['Version']], rows, 'cards')),
    log.rows.length < log.matching ? h('p', null, h('button', { 'data-key': 'log-more', onclick: () => loadLog(true).then(() => logPanel()) }, 'Older')) : null] : empty('No decision matches.'));
}

function alertsPanel(rows, model) {
  const parts = panel('alerts', model ? 'Alerts' : 'Open alerts', 'half', ['alerts', model ? { model } : {}]);
  const open = rows.filter((row) => row.open);
  parts.details.hidden = true;
  const signs = { critical: ['bad', '■'], warning: ['warn', '▲'], info: ['idle', '●'] };
  if (!rows.length) return show(parts, 'None.', empty(model ? 'No alert about this model within the retention.' : 'No alert is open.'));
  return show(parts, open.length ? `${open.length} open.` : 'None is open.', h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Alerts', 'data-key': 'alerts-scroll' }, table([['When, ' + zoneName()], ['What'], ['Text']], rows.slice(0, 50).map((row) => [time(row.at_ms), [stateLabel(...(signs[row.severity] || signs.info), row.kind.replaceAll('_', ' ')), row.state === 'resolved' ? ' resolved' : row.open ? h('b', null, ' open') : ''], [!model && row.model ? [link({ model: row.model }, named(row.model, 80)), ': '] : null, row.text]]), 'cards')));
}

function pipelinePanel(pipeline) {
  const parts = panel('pipeline', 'Pipeline', 'half', ['pipeline', {}]);
  const w = data.overview.worker;
  if (!w) return show(parts, 'The worker has not reported yet.', empty('The worker is starting.'));
  const rejects = {};
  for (const task of pipeline ? pipeline.tasks : []) for (const [reason, number] of Object.entries(task.rejects)) rejects[reason] = (rejects[reason] || 0) + number;
  const checkpoint = known(w.last_checkpoint_at_ms) ? duration(Math.max(0, now() - w.last_checkpoint_at_ms)) + ' ago' : 'none yet';
  const summary = `${{ working: 'Working', restoring: 'Restoring its state', standing_by: 'Standing by' }[w.phase]}; ${known(w.lag) ? (w.lag ? count(w.lag) + ' records behind' : 'nothing waits') : 'lag not known'}; last checkpoint ${checkpoint}; ${w.rejected ? count(w.rejected) + ' records refused since start' : 'no record refused since start'}.`;
  const sum = (name) => (pipeline ? pipeline.tasks : []).reduce((total, task) => total + (task.counters[name] || 0), 0);
  const facts = [['Stream time', time(w.stream_time_ms) + ' ' + zoneName()], ['Checkpoints', count(w.checkpoints)], ['Last checkpoint', checkpoint], ['Lag', known(w.lag) ? count(w.lag) : '–'], ['Models here', count(w.models)]];
  if (pipeline) facts.push(['Predictions', count(sum('predictions'))], ['Actuals', count(sum('actuals'))], ['Pairs', count(sum('pairs'))], ['Late', count(sum('late'))], ['Duplicates', count(sum('duplicates'))], ['Unmatched', count(sum('unmatched'))], ['Decisions', count(sum('decisions'))]);
  for (const [reason, number] of Object.entries(rejects)) facts.push(['Refused: ' + reason.replaceAll('_', ' '), count(number)]);
  return show(parts, summary, h('dl', { class: 'facts', 'aria-label': 'Since this worker started' }, facts.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value)))),
    pipeline ? () => table([['Topic', 'name'], ['Partition', 'num'], ['Next', 'num'], ['Committed', 'num'], ['End', 'num'], ['Lag', 'num']], pipeline.rows.map((row) => [row.topic, row.partition, row.next_offset, row.committed_offset, row.end_offset ?? '–', row.lag ?? '–'])) : null);
}

// ---- One decision ----------------------------------------------------------------------------------------------------

const ANSWERS = { pass: ['good', '✔', 'pass'], hold: ['bad', '■', 'would hold'], trigger: ['warn', '▶', 'would trigger'], unknown: ['idle', '○', 'not known'] };
async function openDecision(id) {
  const dialog = $('detail');
  $('detail-title').textContent = 'Decision';
  $('detail-body').replaceChildren(h('p', { class: 'soft' }, 'Fetching it …'));
  if (!dialog.open) dialog.showModal();
  let event;
  try { event = await ask('decision', { id }); } catch (error) { $('detail-body').replaceChildren(h('p', { class: 'banner warn' }, error.message), h('p', { class: 'small soft' }, id)); return; }
  const d = event.data;
  $('detail-title').replaceChildren(named(d.model, 80), `: ${d.outcome === 'trigger' ? 'training triggered' : 'held'}, ${reasonOf(d.reason.code)[1].toLowerCase()}`);
  const value = (number) => known(number) ? String(Math.round(number * 1e4) / 1e4) : '–';
  $('detail-body').replaceChildren(...[h('p', null, d.reason.text), h('p', { class: 'soft small' }, `About ${time(d.evaluated_at_ms, 'full')} ${zoneName()}. Confidence ${percent(d.confidence, 0)}. `, d.wait_until_ms ? `Waits until ${time(d.wait_until_ms)}. ` : '', d.request_id ? `Request ${d.request_id}. ` : '', h('a', { href: address({ decision: id }) }, 'Permalink')),
    h('h3', null, 'Every check, in order; the first that applies decides'),
    h('div', { class: 'scroll', tabindex: '0' }, table([['Check'], ['Answer'], ['Value', 'num'], ['Limit', 'num'], ['Unit']], d.checks.map((check) => [[reasonOf(check.check)[1], check.check === d.reason.code ? h('b', null, ' ← decided') : null], stateLabel(...(ANSWERS[check.answer] || ['idle', '○', check.answer])), value(check.value), value(check.limit), check.unit]), 'cards')),
    d.signal ? [h('h3', null, `Score ${figure(d.signal.score)} (plain ${figure(d.signal.plain_score)}), accuracy ${percent(d.accuracy)}`), table([['Term'], ['Value', 'num'], ['Weight', 'num'], ['Plain', 'num']], TERMS.map(([term, name]) => [name, figure(d.signal.terms[term]), d.signal.weights[term], figure(d.signal.plain_terms[term])]))] : null,
    h('details', null, h('summary', null, 'The whole record'), h('pre', { tabindex: '0' }, JSON.stringify(event, null, 2)))].flat().filter(Boolean));
}

// ---- Putting it together ---------------------------------------------------------------------------------------------

function render() {
  if (!data.overview) { if (live.error) banners(); return; }
  if (view.model) renderModel(); else { if ($('model-head')) { $('content').replaceChildren(); panels.clear(); } renderFleet(); }
  document.title = (view.model ? plainName(view.model) + ' – ' : '') + 'driftgate';
  const names = $('model-names');
  if (names.childElementCount !== data.models.length) names.replaceChildren(...data.models.slice(0, 2000).map((entry) => h('option', { value: entry.model })));
  if (document.activeElement !== $('model')) $('model').value = view.model || '';
  const o = data.overview;
  $('foot').textContent = `${o.application_id} · scoring ${o.scoring} · quiet ${o.quiet_rule} · a decision every ${duration(o.check_interval_ms)} · kept ${duration(o.retention_ms)} · configuration ${o.configuration} ·`;
  if (view.decision && $('detail').dataset.shown !== view.decision) { $('detail').dataset.shown = view.decision; openDecision(view.decision); }
}

document.addEventListener('click', (event) => {
  const anchor = event.target.closest('a[data-nav]');
  if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const query = new URL(anchor.href).searchParams;
  if (query.get('decision')) { go({ model: view.model || query.get('model'), decision: query.get('decision') }); return; }
  const model = query.get('model');
  history.pushState(null, '', anchor.href);
  const changed = model !== view.model;
  readAddress();
  if (changed) { $('content').replaceChildren(); panels.clear(); log.rows = []; log.more = false; data.detail = null; scrollTo(0, 0); }
  refresh();
});
$('detail').addEventListener('close', () => { $('detail').dataset.shown = ''; if (view.decision) { history.pushState(null, '', address({ decision: null })); readAddress(); } });
$('range').addEventListener('change', (event) => go({ range: Number(event.target.value) }));
$('zone').addEventListener('change', (event) => { formats.clear(); go({ zone: event.target.value }); });
$('model').addEventListener('change', (event) => { const name = event.target.value; if (!name) { location.search = '?all=1'; return; } if (data.models.some((entry) => entry.model === name)) go({ model: name, decision: null }); });
addEventListener('popstate', () => { const before = view.model; readAddress(); if (view.model !== before) { $('content').replaceChildren(); panels.clear(); log.rows = []; data.detail = null; } if (!view.decision && $('detail').open) $('detail').close(); refresh(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden && live.pending) { live.pending = false; soon(); } });
let resized;
addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(render, 150); });
setInterval(() => { showLive(); if (live.error && Date.now() - live.lastRefresh > 4000) refresh(); }, 1000);

readAddress();
refresh();
listen();
