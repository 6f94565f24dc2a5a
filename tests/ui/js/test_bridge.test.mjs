// What scripts share: one module that knows Plotly's and Streamlit's markup, joined with each of them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { load, Page } from "./modules.mjs";

const UI = new URL("../../../explorer/ui/", import.meta.url);
const SCRIPTS = readdirSync(UI, { recursive: true }).filter((name) => name.endsWith(".js"));
const MARKUP = /js-plotly-plot|updatemenu|_transitionData|__data__|_frameQueue|stPlotlyChart|stMain|stApp|stSidebar|st-key-/;

afterEach(() => {
  for (const name of ["KeyboardEvent", "MouseEvent"]) delete globalThis[name];
});

test("no other script knows Plotly's or Streamlit's markup", () => {
  const knowing = SCRIPTS.filter((name) => MARKUP.test(readFileSync(new URL(name, UI), "utf8")));
  assert.deepEqual(knowing, ["components/bridge.js"]);
});

test("every script is one module with the bridge: no name twice, one default export", async () => {
  for (const name of SCRIPTS.filter((one) => !one.endsWith("bridge.js"))) {
    assert.equal(typeof (await load(name)).default, "function", name);
  }
});

const button = () => ({ pressed: 0, dispatchEvent() { this.pressed += 1; } });
const plotOf = (buttons, frames) => ({
  _transitionData: { _frames: frames, _frameQueue: [{ onInterrupt: () => {} }] },
  querySelectorAll: () => buttons,
});

test("a frame can be shown once Plotly has taken it in and drawn its button", async () => {
  globalThis.MouseEvent = Event;
  const { frameOf, showFrame, hasButtons } = await load("components/player.js", "frameOf", "showFrame", "hasButtons");
  assert.equal(frameOf(plotOf([button()], undefined), 0), undefined);
  assert.equal(frameOf(plotOf([], [{}]), 0), undefined);
  assert.ok(!hasButtons(plotOf([], [{}])));
  const buttons = [button(), button()];
  const plot = plotOf(buttons, ["first", "second"]);
  assert.equal(frameOf(plot, 1), "second");
  showFrame(plot, 1);
  assert.deepEqual(buttons.map((one) => one.pressed), [0, 1]);
  assert.equal(plot._transitionData._frameQueue[0].onInterrupt, null);
});

test("traces get other values by the button's own arguments, and only where they can", async () => {
  globalThis.MouseEvent = Event;
  const { canRestyle, restyle } = await load("train/live_charts.js", "canRestyle", "restyle");
  const bound = { ...button(), __data__: {} };
  assert.ok(!canRestyle(undefined));
  assert.ok(!canRestyle(plotOf([button()], [])));
  assert.ok(canRestyle(plotOf([bound], [])));
  restyle(plotOf([bound], []), { y: [[1]] }, [2]);
  assert.deepEqual([bound.__data__.args, bound.pressed], [[{ y: [[1]] }, [2]], 1]);
});

test("a key that was handed on is known when it comes by again; any other is not", async () => {
  globalThis.KeyboardEvent = class extends Event {
    constructor(name, { key, code, ...rest }) { super(name, rest); Object.assign(this, { key, code }); }
  };
  const { handOnKey, wasHandedOn } = await load("components/player.js", "handOnKey", "wasHandedOn");
  const seen = [];
  const input = new Page();
  input.addEventListener("keydown", (event) => seen.push([event.key, event.code, wasHandedOn(event)]));
  handOnKey(input, "End");
  input.dispatchEvent(new KeyboardEvent("keydown", { key: "End", code: "End" }));
  assert.deepEqual(seen, [["End", "End", true], ["End", "End", false]]);
});

test("a chart is named once, and left alone where its name stays", async () => {
  const { nameChart } = await load("components/player.js", "nameChart");
  const names = [];
  const named = { getAttribute: () => names.at(-1), setAttribute: (_, name) => names.push(name) };
  for (const name of ["a", "a", "b"]) nameChart({ closest: () => named }, name);
  nameChart({ closest: () => null }, "c");
  assert.deepEqual(names, ["a", "b"]);
});
