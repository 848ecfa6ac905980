// What all of the page is made with: elements, figures, names, the address, times, the worker's words.
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
const data = { overview: null, models: [], detail: null, pipeline: null, modelsAt: 0, skew: 0 };
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
const link = (change, ...children) => h('a', { href: address(change), 'data-nav': true, 'data-key': address(change) }, ...children);

// ---- Time ------------------------------------------------------------------------------------------------------------

const formats = new Map();
function time(milliseconds, style = 'minute') {
  if (!known(milliseconds)) return '–';
  // A time of another year needs to say so.
  const isFar = Math.abs(milliseconds - now()) > 300 * DAY;
  const key = style + view.zone + isFar;
  if (!formats.has(key)) {
    const options = { timeZone: view.zone === 'utc' ? 'UTC' : undefined, hourCycle: 'h23' };
    if (style !== 'clock' && style !== 'hour') Object.assign(options, { day: 'numeric', month: 'short' });
    if (style !== 'day') Object.assign(options, { hour: '2-digit', minute: '2-digit' });
    if (style === 'clock') options.second = '2-digit';
    if (style === 'full' || (isFar && style !== 'clock' && style !== 'hour')) Object.assign(options, style === 'full' ? { year: 'numeric', weekday: 'short' } : { year: 'numeric' });
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
