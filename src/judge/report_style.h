// The page's style sheet and its one script (sorting tables).
#pragma once

namespace vesal::judge {

inline constexpr const char* kReportStyle = R"css(
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#17202a;--faint:#5c6873;--line:#dfe4e9;--good:#1a7f4b;--good-soft:#e3f4ea;--bad:#b3372c;
--bad-soft:#fbe9e7;--open:#8a5a00;--open-soft:#fdf1d8;--accent:#1f6feb;--c1:#1f6feb;--c2:#d9730d;--c3:#1a7f4b;--c4:#8250df;--c5:#b3372c;--c6:#0a7ea4;--c7:#6e5494;--c8:#7a6a00}
@media (prefers-color-scheme:dark){:root{--paper:#0f141a;--card:#171d25;--ink:#e6ebf0;--faint:#97a3ae;--line:#2a333d;--good:#4cc38a;--good-soft:#12301f;--bad:#ff8a7a;
--bad-soft:#3a1815;--open:#f0b849;--open-soft:#33270c;--accent:#6cb1ff;--c1:#6cb1ff;--c2:#ffa657;--c3:#56d390;--c4:#c297ff;--c5:#ff8a7a;--c6:#5ed0e6;--c7:#b8a1e3;--c8:#d9c74a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 4px}
h2{font-size:1.2rem;margin:40px 0 12px}
h3{font-size:1rem;margin:0 0 2px}
p{margin:0 0 8px}
.faint,.note{color:var(--faint)}
.note{font-size:.875rem}
code{font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px 20px}
.verdict{display:grid;grid-template-columns:minmax(0,1.3fr) minmax(0,1fr);gap:24px;align-items:center;margin-top:24px;border-left:8px solid var(--faint)}
.verdict.use{border-left-color:var(--good);background:linear-gradient(90deg,var(--good-soft),var(--card) 70%)}
.verdict.fine-tune{border-left-color:var(--bad);background:linear-gradient(90deg,var(--bad-soft),var(--card) 70%)}
.verdict.too-few{border-left-color:var(--open);background:linear-gradient(90deg,var(--open-soft),var(--card) 70%)}
.verdict strong{display:block;font-size:1.9rem;line-height:1.2;margin-bottom:6px}
.use strong{color:var(--good)}.fine-tune strong{color:var(--bad)}.too-few strong{color:var(--open)}
.big{font-size:2.6rem;font-weight:650;line-height:1;font-variant-numeric:tabular-nums}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px;margin-top:12px}
.tiles .card{padding:14px 16px}
.tiles b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:16px}
figure{margin:0}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--faint);font:12px system-ui,sans-serif}
svg .name{fill:var(--ink)}
.grid{stroke:var(--line)}.axis{stroke:var(--faint)}.solid{stroke:var(--ink);stroke-width:1.5}
.dashed{stroke:var(--ink);stroke-dasharray:5 4}.gate{stroke:var(--bad);stroke-width:2;stroke-dasharray:6 4}
.box{fill:var(--c1);fill-opacity:.12;stroke:var(--c1)}
.dot{fill-opacity:.75;stroke:var(--card);stroke-width:1}
.s1{fill:var(--c1)}.s2{fill:var(--c2)}.s3{fill:var(--c3)}.s4{fill:var(--c4)}.s5{fill:var(--c5)}.s6{fill:var(--c6)}.s7{fill:var(--c7)}.s8{fill:var(--c8)}
.track{fill:var(--line)}.range{fill:var(--accent);fill-opacity:.35}.mean{fill:var(--accent)}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.875rem;color:var(--faint);margin:0 0 10px}
.key i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.shots{display:grid;gap:16px}
.shots img{display:block;width:100%;max-height:440px;object-fit:contain;border-radius:8px;background:#101216}
.shots figcaption{display:flex;justify-content:space-between;gap:12px;margin-bottom:8px;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:8px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--faint);font-size:.875rem}
th:first-child,td:first-child,.text{text-align:left}
td.text{white-space:normal;overflow-wrap:anywhere}
th button{all:unset;cursor:pointer}
th button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
th[aria-sort=ascending] button::after{content:" \25B2"}th[aria-sort=descending] button::after{content:" \25BC"}
td.low{color:var(--bad);font-weight:600}
dl{display:grid;grid-template-columns:minmax(140px,auto) 1fr;gap:6px 20px;margin:0}
dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
li{margin-bottom:4px}
.warning{border-left:4px solid var(--open);padding:2px 0 2px 12px;margin-top:16px}
@media (max-width:720px){.verdict{grid-template-columns:1fr}dl{grid-template-columns:1fr}dd{margin-bottom:6px}}
@media print{:root{--paper:#fff}body{font-size:12px}main{max-width:none;padding:0}.card,figure,tr{break-inside:avoid}h2{break-after:avoid}}
)css";

inline constexpr const char* kReportScript = R"js(
for (const th of document.querySelectorAll('table.sortable th')) {
  const button = th.querySelector('button');
  if (!button) continue;
  button.addEventListener('click', () => {
    const table = th.closest('table'), body = table.tBodies[0], at = [...th.parentNode.children].indexOf(th);
    const up = th.getAttribute('aria-sort') !== 'ascending';
    for (const other of th.parentNode.children) other.removeAttribute('aria-sort');
    th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const key = row => row.cells[at] ? row.cells[at].dataset.v ?? row.cells[at].textContent : '';
    const rows = [...body.rows].sort((a, b) => {
      const x = key(a), y = key(b), n = parseFloat(x), m = parseFloat(y);
      if (th.dataset.kind === 'text') return x.localeCompare(y, undefined, {numeric: true}) * (up ? 1 : -1);
      if (isNaN(n) || isNaN(m)) return isNaN(n) - isNaN(m);
      return (n - m) * (up ? 1 : -1);
    });
    body.append(...rows);
  });
}
)js";

}  // namespace vesal::judge
