// Everything that the pages' scripts know of Plotly's and Streamlit's inner markup, and of when the browser paints.
//
// Neither promises any of it: where a new version changes something, this file changes and no other. `mount`
// (explorer/ui/components/mount.py) joins it with a script that imports from it.

// Streamlit: an element with a key, its slider or field, and its charts
export const sliderOf = (key) => document.querySelector(`.st-key-${key} input[type=range]`);
export const fieldOf = (key) => document.querySelector(`.st-key-${key} input`);
export const plotsOf = (key) => [...document.querySelectorAll(`.st-key-${key} .js-plotly-plot`)];
export const appOf = () => document.querySelector(".stApp");
export const isOverChart = (target) => Boolean(target.closest?.(".js-plotly-plot"));

// Streamlit's list of pages has its sections between the list and its items, which makes neither a list
export const pageListParts = () => document.querySelectorAll(
  '[data-testid="stSidebarNavItems"]:not([role]), [data-testid="stSidebarNavItems"] li:not([role])',
);
export const silentConclusions = () =>
  document.querySelectorAll('[class*="st-key-conclusion"]:not([aria-live])');

// Calls `act` whenever the page's elements or their values change; gives what ends it.
export const onPageChange = (act) => {
  const changes = new MutationObserver(act);
  changes.observe(document.querySelector(".stMain") ?? document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["value"],
  });
  return () => changes.disconnect();
};

// React reads a field's value by the event, and only if the browser's own setter has set it.
export const writeInto = (input, value) => {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, String(value));
  input.dispatchEvent(new Event("input", { bubbles: true }));
};

// Keys that a script has shown already and hands on to Streamlit: these it leaves alone when they come by.
const handedOn = new WeakSet();
export const wasHandedOn = (event) => handedOn.has(event);
export const handOnKey = (input, key, code = key) => {
  const event = new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true });
  handedOn.add(event);
  input.dispatchEvent(event);
};
export const isModified = (event) => event.shiftKey || event.ctrlKey || event.altKey || event.metaKey;

// Plotly: a chart's hidden buttons, its frames, and its name for those who cannot see it
const buttonsOf = (plot) => plot.querySelectorAll(".updatemenu-button");
export const hasButtons = (plot) => buttonsOf(plot).length > 0;
const press = (button) => button.dispatchEvent(new MouseEvent("click"));

// The frame of a position; undefined while Plotly has not taken it in, which it does after drawing the chart.
export const frameOf = (plot, position) =>
  buttonsOf(plot)[position] && plot._transitionData?._frames?.[position];

export const showFrame = (plot, position) => {
  // a frame that this one overtakes is no error, but Plotly would have the console say so
  plot._transitionData._frameQueue?.forEach((overtaken) => { overtaken.onInterrupt = null; });
  press(buttonsOf(plot)[position]);
};

// Gives traces other values by the first button, whose arguments Plotly keeps beside it, once it has drawn them.
export const canRestyle = (plot) => Boolean(plot && buttonsOf(plot)[0]?.__data__);
export const restyle = (plot, values, traces) => {
  const button = buttonsOf(plot)[0];
  button.__data__.args = [values, traces];
  press(button);
};

export const nameChart = (plot, text) => {
  const named = plot.closest(".stPlotlyChart");
  if (named && named.getAttribute("aria-label") !== text) named.setAttribute("aria-label", text);
};

export const afterPaint = (run) =>
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = run;
    channel.port2.postMessage(null);
  });
