// All models at a glance, and what stands above everything.
'use strict';

// ---- Banners ---------------------------------------------------------------------------------------------------------

function banners() {
  const list = [];
  const o = data.overview;
  if (live.error) list.push(['bad', 'The worker does not answer: ' + String(live.error.message || live.error).replace(/[.\s]*$/, '. ')
    + (live.heardAt ? 'What is shown was last known at ' + time(live.heardAt + data.skew, 'clock') + ' ' + zoneName() + '.' : 'It is asked again every few seconds.')]);
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
  showHead(head, () => $('content').append(head, h('div', { class: 'grid', id: 'grid' })));
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
