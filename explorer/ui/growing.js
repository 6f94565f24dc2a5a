// Charts that grow where they stand: new values go into the drawn chart, which keeps its zoom.
//
// Streamlit takes a chart with other numbers for another chart and draws it from nothing. So the chart
// stays as it was first drawn, and a hidden Plotly button (explorer/charts/growing.py) is told what its
// traces have gained, and pressed. React may draw the older state again at any time: then once more.
const EVERY_MS = 80;
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
  const plot = document.querySelector(`.st-key-${key} .js-plotly-plot`);
  const button = plot?.querySelector(".updatemenu-button");
  if (!button?.__data__ || plot.dataset.held === "true") return;
  if (!isShown(plot, chart)) {
    button.__data__.args = [chart.values, chart.traces];
    button.dispatchEvent(new MouseEvent("click"));
  }
  const named = plot.closest(".stPlotlyChart");
  if (named && named.getAttribute("aria-label") !== chart.alt) named.setAttribute("aria-label", chart.alt);
};

export default function ({ data }) {
  leave();
  const charts = Object.entries(data).map(([key, told]) => [key, JSON.parse(told)]);
  const all = () => charts.forEach(([key, chart]) => grow(key, chart));
  all();
  const timer = setInterval(all, EVERY_MS);
  leave = () => clearInterval(timer);
  return leave;
}
