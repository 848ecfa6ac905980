// Everything about one model, panel by panel, and the evidence of one decision.
'use strict';

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
  showHead(head, () => content.replaceChildren(head, h('div', { class: 'grid', id: 'grid' })));
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
  return h('details', { class: 'stop', open: view.stop, ontoggle: (event) => { view.stop = event.target.open; } }, h('summary', { 'data-key': 'stop' }, paused ? 'How to resume it' : 'How to stop it'),
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
    if (row.verdict_at_ms && row.verdict !== 'superseded') list.push({ at: row.verdict_at_ms, shape: row.verdict === 'regressed' ? 'cross' : 'check', kind: row.verdict === 'regressed' ? 'bad' : 'good', text: `Verdict ${time(row.verdict_at_ms)}: ${row.verdict}` });
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
  // Data that has changed raises the score, and alone does not make it critical.
  const capped = known(signal.weighted_score) && signal.weighted_score > signal.score + .0005 ? ` It counts as ${figure(signal.score)}: while the forecasts are as good as before, changed data alone calls for no training.` : '';
  const summary = most.part > 0 ? `Most of it is ${most.name.toLowerCase()}: ${figure(most.part)} of ${figure(signal.weighted_score ?? signal.score)}. ${signal.scoring === 'calibrated' ? 'Terms count above their own noise floor.' : 'Terms count as they are.'}` + capped : 'No term is above its own noise floor.';
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
        known(value) && cw > 26 ? s('text', { class: share > .3 ? 'strong' : '', x: px + cw / 2, y: py + 16, 'text-anchor': 'middle' }, (value * 100).toFixed(0)) : null, inWindow.has(index) ? s('rect', { class: 'window-edge', x: px + 1, y: py + 1, width: cw - 2, height: ch - 2, fill: 'url(#hatch)' }) : null));
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
  const judged = rows.filter((row) => row.verdict && row.verdict !== 'superseded'), better = judged.filter((row) => row.verdict === 'improved').length;
  const signs = { improved: ['good', '✔'], neutral: ['idle', '○'], regressed: ['bad', '✖'], superseded: ['idle', '↷'] }, states = { succeeded: ['good', '✔'], failed: ['bad', '✖'], rejected: ['bad', '✖'], cancelled: ['idle', '○'] };
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
