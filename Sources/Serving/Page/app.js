// The dashboard. It shows what /api/v1 says, and nothing else. Whatever comes from there is put in as text, never as
// markup: names of models, metrics and versions are written by whoever can write to Kafka.
'use strict';

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
