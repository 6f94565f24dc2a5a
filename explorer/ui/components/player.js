// Charts, and the texts about them, follow a slider in the browser, without waiting for the server.
//
// Every chart holds one Plotly frame per slider position and one hidden Plotly button per frame
// (explorer/charts/frames.py). Streamlit handles a key press for some 50 ms before the browser may
// paint, so a key is first shown in the charts, and handed on to the slider after that paint. The
// slider stays the truth: whatever it says in the end is what the charts show. Where the slider or the
// buttons cannot be found, the server is told, and draws every position itself.
import {
  afterPaint, frameOf, handOnKey, hasButtons, isModified, nameChart, onPageChange, plotsOf, showFrame, sliderOf,
  wasHandedOn,
} from "./bridge.js";

const MOVES = {
  ArrowRight: (at) => at + 1, ArrowUp: (at) => at + 1,
  ArrowLeft: (at) => at - 1, ArrowDown: (at) => at - 1,
  Home: () => 0, End: () => Infinity,
};
const PATIENCE_MS = 20000;
const SOON_MS = 50;
let leave = () => {};

// Asked of the chart itself, since React may draw an older state of it at any time.
const isShown = (plot, frame) =>
  frame.data.every((trace, i) => {
    const drawn = plot.data[frame.traces[i]];
    return drawn && ["x", "y"].every((axis) => isSame(drawn[axis], trace[axis]));
  });

const isSame = (some, others) =>
  some === others || (some?.length === others?.length
    && Array.prototype.every.call(some, (value, i) => Object.is(value ?? NaN, others[i] ?? NaN)));

export default function ({ data, setStateValue }) {
  leave();
  const slider = () => sliderOf(data.slider);
  let ahead = null; // position shown before the slider knows of it
  let waiting = 0; // keys not yet handed on
  let later = null; // timer for charts that cannot be told yet

  // a text never says another position than the charts: it waits until they can be told
  const tell = (position) => {
    for (const [name, texts] of Object.entries(data.texts)) {
      const text = document.querySelector(`[data-follows="${name}"]`);
      if (!text || text.dataset.at === String(position)) continue;
      text.innerHTML = texts[position] ?? "";
      text.dataset.at = position;
    }
  };

  const show = (position) => {
    let told = true;
    for (const chart of data.charts) {
      for (const plot of plotsOf(chart.key)) {
        const frame = frameOf(plot, position);
        if (!frame) {
          // Plotly draws a chart first and takes its frames in later
          told = false;
          later ??= setTimeout(() => { later = null; if (ahead === null) follow(); else show(ahead); }, SOON_MS);
        } else if (!isShown(plot, frame)) {
          showFrame(plot, position);
          nameChart(plot, chart.alts[position]);
        }
      }
    }
    if (told) tell(position);
  };

  const follow = () => {
    if (ahead === null && slider()) show(Number(slider().value));
  };

  const press = (event) => {
    const move = MOVES[event.key];
    if (!move || isModified(event) || wasHandedOn(event) || event.target !== slider()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const wanted = move(ahead ?? Number(slider().value));
    ahead = Math.min(Math.max(wanted, 0), data.charts[0].alts.length - 1);
    show(ahead);
    waiting += 1;
    afterPaint(() => {
      handOnKey(event.target, event.key, event.code);
      waiting -= 1;
      if (!waiting) setTimeout(() => { if (!waiting) { ahead = null; follow(); } });
    });
  };

  document.addEventListener("keydown", press, { capture: true });
  const unfollow = onPageChange(follow);
  follow();
  const drawn = (chart) => plotsOf(chart.key).some(hasButtons);
  const check = setTimeout(() => {
    if (!slider() || !data.charts.every(drawn)) setStateValue("lost", true);
  }, PATIENCE_MS);
  leave = () => {
    clearTimeout(check);
    clearTimeout(later);
    unfollow();
    document.removeEventListener("keydown", press, { capture: true });
  };
  return leave;
}
