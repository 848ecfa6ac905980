// Asks the worker, hears what is new, and asks again.
'use strict';

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
    // Of very many models the list is no light thing: whoever looks at one of them gets it now and then.
    const isFresh = view.model && data.models.length > 200 && Date.now() - data.modelsAt < 10e3;
    const [overview, models] = await Promise.all([ask('overview'), isFresh ? null : ask('models')]);
    data.overview = overview;
    if (models) Object.assign(data, { models: models.models, modelsAt: Date.now() });
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
  if (!summary) { Object.assign(data, { detail: { missing: true }, modelsAt: 0 }); return; }
  // Up to the latest decision, which may be newer than what the list says.
  const window = { model, from: Math.max(0, (summary.decided_at_ms || now()) - view.range * DAY) };
  const [own, series, load, trainings, alerts, pipeline] = await Promise.all([
    ask('model', { model }), quietly(ask('series', window)), quietly(ask('load', { model })), quietly(ask('trainings', { model })),
    quietly(ask('alerts', { model, limit: 50 })), quietly(ask('pipeline'))]);
  if (view.model !== model) return;
  window.to = series ? series.to_ms : now();
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
