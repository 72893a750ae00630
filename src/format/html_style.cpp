// SPDX-License-Identifier: Apache-2.0
#include "format/html_parts.hpp"

namespace turboci {

const std::string_view kHtmlStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f8fa; --card: #ffffff; --text: #1f2328; --muted: #59636e; --line: #d8dee4; --link: #0a58ca;
  --passed: #1a7f37; --failed: #c4201c; --cancelled: #8250df; --broken: #b35900; --running: #0969da;
  --open: #9a6700; --optional: #8a5a00; --skipped: #6e7781; --wait: #c3cad2; --critical: #b1640a; --code: #f3f5f7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #161b22; --text: #e6edf3; --muted: #9198a1; --line: #30363d; --link: #74b0ff;
    --passed: #3fb950; --failed: #ff6b61; --cancelled: #b78aff; --broken: #f0883e; --running: #58a6ff;
    --open: #d6a419; --optional: #d0a14c; --skipped: #9198a1; --wait: #454d57; --critical: #f2b14a; --code: #0d1117;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4rem; }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums;
}
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
bdi { overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; }
h2 { margin: 2rem 0 .75rem; font-size: 1.2rem; }
h3 { margin: 0; font-size: 1rem; display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: baseline; }
h2 .n { color: var(--muted); font-weight: 400; }
summary { cursor: pointer; }
pre { margin: 0; font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; unicode-bidi: isolate; }

.passed { --own: var(--passed); } .failed { --own: var(--failed); } .cancelled { --own: var(--cancelled); }
.broken { --own: var(--broken); } .running { --own: var(--running); } .open { --own: var(--open); }
.optional { --own: var(--optional); } .skipped { --own: var(--skipped); }
.sign { color: var(--own); font-weight: 700; }
.took, .why, .more, .word, .legend { color: var(--muted); }
.took { white-space: nowrap; font-weight: 400; }
.critical { color: var(--critical); }
.yes { color: var(--passed); } .no { color: var(--failed); } .unknown { color: var(--open); }
.kind { padding: 0 .5em; border: 1px solid var(--line); border-radius: 1em; font-size: .85em; font-weight: 400;
  color: var(--muted); }

header, article, nav + form, section > details, .scroll { background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; }
header { padding: 1.25rem 1.5rem; border-top: .35rem solid var(--own); }
.verdict { padding: .1em .6em; border-radius: .4em; background: var(--own); color: var(--card); font-size: 1.1rem; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1rem 0 .5rem; }
.facts dt { color: var(--muted); font-size: .85em; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.totals b { white-space: nowrap; }
.totals p { margin: .5rem 0 0; display: grid; grid-template-columns: 7.5rem minmax(6rem, 16rem) 1fr; gap: .25rem 1rem;
  align-items: center; }
.shares { width: 100%; height: .7rem; border-radius: .35rem; }
rect { fill: var(--own); }
rect.wait { fill: var(--wait); }
rect.c { stroke: var(--critical); stroke-width: 2; vector-effect: non-scaling-stroke; }
.counts > span { margin-right: .9em; white-space: nowrap; }

nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem .25rem; }
form { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center;
  padding: .6rem .9rem; }
form[hidden] { display: none; }
fieldset { display: contents; }
legend { position: absolute; left: -999rem; }
form label { color: var(--own); white-space: nowrap; font-size: .9em; }
input[type=checkbox] { margin: 0 .15em 0 0; vertical-align: -1px; accent-color: var(--own); }
input[type=search], select, button { font: inherit; font-size: .9em; color: inherit; background: var(--page);
  border: 1px solid var(--line); border-radius: .4em; padding: .25em .6em; max-width: 16rem; }
input[type=search] { flex: 1 1 12rem; max-width: none; }
output { color: var(--muted); font-size: .9em; }
.hidden { display: none !important; }

.card { padding: .9rem 1.1rem; margin: 0 0 .75rem; border-left: .35rem solid var(--own); }
.card .message { margin: .5rem 0 0; color: var(--own); font-size: 13.5px; }
.card .why { margin: .5rem 0 0; }
.log { margin-top: .6rem; }
.log pre { margin-top: .35rem; padding: .7rem .9rem; background: var(--code); border: 1px solid var(--line);
  border-radius: .4rem; max-height: 16rem; overflow: auto;
  /* The end of a log says most: a box that is too small for all of it begins there. */
  display: flex; flex-direction: column-reverse; }
.rows { list-style: none; margin: .4rem 0 0; padding: 0; columns: 26rem; column-gap: 2rem; }
.rows li { break-inside: avoid; padding: .1rem 0; }

section > details { padding: .7rem 1rem; margin-bottom: .75rem; }
.path ol { margin: .4rem 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .2rem .5rem; }
.path li:not(:last-child)::after { content: " →"; color: var(--muted); }
.legend { margin: .5rem .25rem; font-size: .9em; }
.legend > span { margin-right: 1.2em; white-space: nowrap; }
.key { width: 1.6em; height: .7em; vertical-align: baseline; }
.scroll { overflow: auto; max-height: 85vh; }
details .scroll { margin-top: .6rem; }
table { border-collapse: collapse; width: 100%; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--card); box-shadow: inset 0 -1px var(--line);
  color: var(--muted); font-size: .85em; font-weight: 600; }
th, td { padding: .25rem .75rem; text-align: left; vertical-align: top; font-weight: 400; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody tr:hover > * { background: color-mix(in srgb, var(--link) 8%, transparent); }
tr:target > * { background: color-mix(in srgb, var(--link) 18%, transparent); }
.timeline { table-layout: fixed; }
.timeline th:first-child { width: 15rem; }
.timeline th:last-child, .timeline td:last-child { width: 5.5rem; text-align: right; white-space: nowrap; }
.timeline tbody th { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.timeline tbody td:nth-child(2) { padding: .25rem 0; background: linear-gradient(to right, var(--line) 1px,
  transparent 1px) 0 0 / 25% 100%; }
.timeline thead th:nth-child(2) { padding: .25rem 0; }
.timeline svg { display: block; width: 100%; height: .85rem; margin: .3rem 0; overflow: visible; }
.dense th, .dense td { padding-top: 0; padding-bottom: 0; font-size: .85em; }
.dense tbody td:nth-child(2) { padding: 0; }
.dense svg { margin: .2rem 0; }
.axis { display: flex; justify-content: space-between; font-weight: 400; }
.nodes { table-layout: fixed; }
.nodes th:first-child { width: 32%; }
.nodes th:nth-child(2) { width: 9rem; }
.nodes th:nth-child(3) { width: 6rem; }
.nodes td:nth-child(2), .nodes td:nth-child(3) { white-space: nowrap; }
.kinds > summary { display: list-item; }
.kinds > summary > .kind { display: inline-block; min-width: 6.5rem; text-align: center; }
.kinds > summary .shares { width: 8rem; margin: 0 .75rem; vertical-align: -1px; }
footer { margin: 2rem .25rem 0; color: var(--muted); font-size: .85em; }

@media (max-width: 44rem) {
  body { padding: .75rem; font-size: 14px; }
  header { padding: 1rem; }
  .totals b { white-space: nowrap; }
.totals p { grid-template-columns: 1fr; gap: .15rem; }
  form { position: static; }
  th, td { padding: .25rem .4rem; }
  .timeline th:first-child { width: 8.5rem; }
  .timeline th:last-child, .timeline td:last-child { width: 4rem; }
  .axis span:nth-child(even) { display: none; }
  .nodes thead { display: none; }
  .nodes tr { display: block; padding: .3rem 0; }
  .nodes tbody tr + tr { border-top: 1px solid var(--line); }
  .nodes tbody tr > * { border: 0; }
  .nodes th, .nodes th:first-child { display: inline-block; width: auto; vertical-align: baseline; }
  .nodes td { display: inline-block; padding-top: 0; vertical-align: baseline; }
  .nodes td:last-child { display: block; }
}
@media print {
  :root { --page: #fff; --card: #fff; --text: #000; --muted: #444; --line: #bbb; --link: #000; --code: #fff; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  form, nav { display: none !important; }
  .scroll, .log pre { display: block; max-height: none; overflow: visible; }
  thead th { position: static; }
  article, tr, li { break-inside: avoid; }
}
)css";

}  // namespace turboci
