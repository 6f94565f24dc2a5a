// Charts and texts that grow where they stand: a feed is asked what is new, and what is drawn is told.
//
// Streamlit takes a chart with other numbers for another chart and draws it from nothing. So the chart
// stays as it was first drawn, and a hidden Plotly button (explorer/charts/patch.py) is told what its
// traces have gained, and pressed. React may draw the older state again at any time: then once more.
import { canRestyle, nameChart, plotsOf, restyle } from "../components/bridge.js";

const AGAIN_MS = 80;
const LOST_MS = 1000;
let leave = () => {};

const isShown = (plot, chart) =>
  chart.traces.every((trace, i) =>
    Object.entries(chart.values).every(([name, values]) => {
      const drawn = plot.data[trace]?.[name] ?? [];
      const wanted = values[i] ?? [];
      return drawn.length === wanted.length
        && (drawn[drawn.length - 1] ?? null) === (wanted[wanted.length - 1] ?? null)
        && (drawn[0] ?? null) === (wanted[0] ?? null);
    }));

const grow = (key, chart) => {
  const [plot] = plotsOf(key);
  if (!canRestyle(plot) || plot.dataset.held === "true") return;
  if (!isShown(plot, chart)) restyle(plot, chart.values, chart.traces);
  nameChart(plot, chart.alt);
};

const tell = (name, { html, percent }) => {
  const told = document.querySelector(`[data-told="${name}"]`);
  if (!told || told.told === html + percent) return;
  const bar = told.querySelector(".share > i");
  told.querySelector("p").innerHTML = html;
  if (bar && percent !== null) bar.style.width = `${percent}%`;
  told.told = html + percent;
};

const visible = () => new Promise((done) => {
  if (!document.hidden) done();
  else document.addEventListener("visibilitychange", done, { once: true });
});
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export default function ({ data, setTriggerValue }) {
  leave();
  leave = () => {};
  if (!data.query.runs) return leave;
  const gone = new AbortController();
  const address = new URL(data.feed, `${location.origin}${location.pathname.replace(/\/+$/, "")}`);
  let now = null;
  let asked = "";

  const show = () => {
    if (now?.drawn.sheets === data.drawn.sheets) {
      Object.entries(now.charts).forEach(([key, chart]) => grow(key, chart));
    }
    // a text never runs ahead of the buttons beside it: "paused" comes with the button that resumes
    if (now?.drawn.rest === data.drawn.rest) {
      Object.entries(now.texts).forEach(([name, told]) => tell(name, told));
    }
  };
  const ask = async () => {
    address.search = new URLSearchParams({ ...data.query, had: now?.version ?? "" });
    const answer = await fetch(address, { signal: gone.signal, cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    if (answer.status === 200) now = await answer.json();
    show();
    const wanted = now.drawn.sheets + now.drawn.rest;
    if (wanted === data.drawn.sheets + data.drawn.rest) {
      asked = "";
    } else if (wanted !== asked) {
      asked = wanted; // the page has to be redrawn: an axis, a button, another run
      setTriggerValue("changed", true);
    }
    return now.wait;
  };
  const follow = async () => {
    while (!gone.signal.aborted) {
      await visible();
      const began = performance.now();
      const wait = await ask().catch(() => LOST_MS);
      await pause(Math.max(wait - (performance.now() - began), 20));
    }
  };

  const timer = setInterval(show, AGAIN_MS);
  leave = () => { clearInterval(timer); gone.abort(); };
  follow();
  return leave;
}
