/// The style sheet of the report: no font, picture or script from elsewhere; dark where the reader's system is.
enum PageStyle {
    static let sheet = """
        :root{--paper:#fff;--ink:#1b1f24;--soft:#5a6472;--rule:#d9dee5;--panel:#f5f7fa;--a:#1f5fbf;--b:#c2571a;\
        --c:#2c8a57;--d:#8450b5;--bad:#b3261e;--good:#1f7a3d;--band:#2c8a5726}
        @media (prefers-color-scheme:dark){:root{--paper:#12161c;--ink:#e7ebf0;--soft:#9aa6b4;--rule:#2c3540;\
        --panel:#1a2028;--a:#7fb2ff;--b:#ffa66b;--c:#6fd39b;--d:#c79bf0;--bad:#ff8a80;--good:#7bd88f;--band:#6fd39b26}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
        main{max-width:1040px;margin:0 auto;padding:24px 20px 60px}
        h1{font-size:24px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 8px;padding-top:12px;border-top:1px solid var(--rule)}
        h3{font-size:16px;margin:22px 0 6px}
        p{margin:6px 0}.soft,figcaption{color:var(--soft)}figcaption strong{color:var(--ink)}
        .tiles{display:flex;flex-wrap:wrap;gap:10px;margin:16px 0}
        .tile{flex:1 1 150px;background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:10px 12px}
        .tile b{display:block;font-size:21px;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:13.5px;margin:8px 0}
        caption{text-align:left;color:var(--soft);padding:4px 0}
        th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--rule);vertical-align:top;font-weight:400}
        thead th{color:var(--soft);font-size:12.5px;white-space:nowrap}tbody th{white-space:nowrap}
        .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        tr.own th,tr.own td{font-weight:600;background:var(--panel)}
        .met,.missed{white-space:nowrap}.met{color:var(--good)}.missed{color:var(--bad)}
        figure{margin:14px 0}svg{width:100%;height:auto;display:block}
        .grid{stroke:var(--rule);stroke-width:1}.axis,.limit-name{fill:var(--soft);font-size:11px}.bar-name{fill:var(--ink);font-size:12px}\
        .limit-name{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
        .line{fill:none;stroke-width:1.4;stroke-linejoin:round}.line.a,.key.a{stroke:var(--a);background:var(--a)}
        .line.b,.key.b{stroke:var(--b);background:var(--b);stroke-dasharray:5 3}
        .line.c,.key.c{stroke:var(--c);background:var(--c)}.line.d,.key.d{stroke:var(--d);background:var(--d)}
        .line.thin{stroke-width:.8;opacity:.55}
        .area{stroke:none;opacity:.8}.area.a{fill:var(--a)}.area.b{fill:var(--b)}.area.c{fill:var(--c)}.area.d{fill:var(--d)}
        .band{fill:var(--band)}.limit{stroke-width:1.2;stroke-dasharray:6 4;stroke:var(--soft)}.limit.bad{stroke:var(--bad)}
        .mark path{fill:var(--bad);stroke:var(--bad)}.mark.rollback path{fill:none;stroke-width:2}
        .mark .rule{stroke:var(--bad);stroke-width:1;opacity:.45}
        .dot{fill:var(--a)}.dot.current{fill:var(--bad)}.dot.beaten{fill:var(--soft)}.bar{fill:var(--a)}.bar.own{fill:var(--bad)}
        .legend{font-size:12.5px;color:var(--soft);margin:2px 0 0}.legend span{margin-right:16px;white-space:nowrap}
        .key{display:inline-block;width:16px;height:3px;margin-right:6px;vertical-align:middle}
        .key.fill{height:10px}.key.band{background:var(--band)}
        .key.shape{width:0;height:0;border:6px solid transparent;border-top:9px solid var(--bad);border-bottom:0}
        .key.cross{width:auto;height:auto;margin-right:4px;vertical-align:baseline}
        .key.cross::before{content:"✕";color:var(--bad);font-style:normal}
        details{margin:8px 0}summary{cursor:pointer;color:var(--soft)}
        nav{columns:4 160px;font-size:13.5px;margin:8px 0}nav a{color:var(--a)}
        @media print{details{display:none}h2{break-after:avoid}figure{break-inside:avoid}}
        """
}
