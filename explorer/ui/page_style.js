// Streamlit repaints itself when the screen turns dark, but a page's own ink was chosen by its last run.
// That run says which it chose: the screen may turn at any time, while the run is still under way too.
//
// And a finger over a chart scrolls the page: Plotly would take it for a drag. A tap still arrives, as a mouse.
import { appOf, isOverChart, pageListParts, silentConclusions } from "./components/bridge.js";

const MOST_ASKED = 3;
const SETTLED_MS = 300;
const WIDE_PX = 1900;
let leave = () => {};
let asked = 0;

function isDark(app) {
  const [red, green, blue] = getComputedStyle(app).backgroundColor.match(/\d+/g).map(Number);
  return red + green + blue < 382;
}

function keepFromCharts(touch) {
  if (isOverChart(touch.target)) touch.stopPropagation();
}

function isWide() {
  return innerWidth >= WIDE_PX;
}

// What a page concludes is read out when it changes; the list of pages is links in a navigation.
function describe() {
  pageListParts().forEach((part) => { part.setAttribute("role", "none"); });
  silentConclusions().forEach((conclusion) => { conclusion.setAttribute("aria-live", "polite"); });
}

export default function ({ data, setStateValue, setTriggerValue }) {
  leave();
  const app = appOf();
  const timers = new Set();
  const look = () => {
    describe();
    if (isWide() !== data.wide) setStateValue("wide", isWide());
    if (isDark(app) === data.dark) {
      asked = 0;
    } else if (asked < MOST_ASKED) {
      asked += 1;
      setTriggerValue("turned", true);
    }
  };
  const later = () => timers.add(setTimeout(look, SETTLED_MS));
  const watch = new MutationObserver(later);
  watch.observe(app, { attributes: true, attributeFilter: ["class", "style"] });
  const screen = matchMedia("(prefers-color-scheme: dark)");
  screen.addEventListener("change", later);
  addEventListener("resize", later);
  const drawn = new MutationObserver(describe);
  drawn.observe(app, { childList: true, subtree: true });
  document.addEventListener("touchstart", keepFromCharts, { capture: true, passive: true });
  later();
  leave = () => {
    watch.disconnect();
    drawn.disconnect();
    removeEventListener("resize", later);
    timers.forEach(clearTimeout);
    screen.removeEventListener("change", later);
    document.removeEventListener("touchstart", keepFromCharts, { capture: true });
  };
  return leave;
}
