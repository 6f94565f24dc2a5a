// What the pages' scripts compute without a browser: numbers as words.py says them, comparisons, addresses.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { load, Page } from "./modules.mjs";

afterEach(() => {
  for (const name of ["window", "document", "FileReader", "getComputedStyle"]) delete globalThis[name];
});

test("numbers are said as explorer/charts/words.py says them", async () => {
  const { said } = await load("inspect/closeup.js", "said");
  const wanted = JSON.parse(readFileSync(process.env.NUMBERS, "utf8"));
  assert.ok(wanted.length > 20);
  for (const [value, text] of wanted) assert.equal(said(value), text, String(value));
});

test("halves are rounded to the even neighbour, as Python rounds", async () => {
  const { rounded } = await load("inspect/closeup.js", "rounded");
  assert.deepEqual([0.5, 1.5, 2.5, 2.4, 2.6, 7].map(rounded), [0, 2, 2, 2, 3, 7]);
});

test("titles are escaped before they become HTML", async () => {
  const { escaped, figure } = await load("inspect/closeup.js", "escaped", "figure");
  assert.equal(escaped('<b> & "c"'), "&#60;b&#62; &#38; &#34;c&#34;");
  assert.ok(!figure("x", '"><script>', "<i>").includes("<script>"));
});

test("a ramp becomes pixels: red in the lowest byte, opaque", async () => {
  const { inked } = await load("inspect/closeup.js", "inked");
  assert.deepEqual([...inked([255, 0, 0, 1, 2, 3])], [0xff0000ff, 0xff030201]);
});

test("a frame is shown only if every value of it is drawn", async () => {
  const { isShown } = await load("components/player.js", "isShown");
  const frame = { traces: [1], data: [{ x: [8, 20], y: [1, null] }] };
  const plot = (y) => ({ data: [{}, { x: [8, 20], y }] });
  assert.ok(isShown(plot([1, NaN]), frame));
  assert.ok(!isShown(plot([1, 2]), frame));
  assert.ok(!isShown(plot([1]), frame));
  assert.ok(!isShown({ data: [{}] }, frame));
});

test("keys move within the slider's own order", async () => {
  const { MOVES } = await load("components/player.js", "MOVES");
  assert.deepEqual(["ArrowRight", "ArrowDown", "Home", "End"].map((key) => MOVES[key](3)), [4, 2, 0, Infinity]);
});

test("a live chart is told once, by length and ends of its traces", async () => {
  const { isShown } = await load("train/live_charts.js", "isShown");
  const chart = { traces: [0, 2], values: { x: [[1, 2], [3]], y: [[5, 6], [7]] } };
  const drawn = [{ x: [1, 2], y: [5, 6] }, {}, { x: [3], y: [7] }];
  assert.ok(isShown({ data: drawn }, chart));
  assert.ok(!isShown({ data: [{ x: [1], y: [5] }, {}, drawn[2]] }, chart));
  assert.ok(!isShown({ data: [drawn[0], {}, { x: [3], y: [8] }] }, chart));
  assert.ok(isShown({ data: [] }, { traces: [0], values: { x: [[]] } }));
});

test("an order for the address is carried out once", async () => {
  const places = [];
  globalThis.window = {
    location: { href: "http://host/train?nets=plain&nets=residual&layers=20" },
    history: { state: 7, replaceState: (state, _, address) => places.push([state, String(address)]) },
  };
  const follow = (await load("components/url_sync.js", "done")).default;
  const order = { data: { turn: "1", parameters: { nets: ["highway"], layers: [] } } };
  follow(order);
  follow(order);
  follow({ data: { turn: null } });
  assert.deepEqual(places, [[7, "http://host/train?nets=highway"]]);
});

test("a page is dark by its ground, whatever the screen says", async () => {
  const { isDark } = await load("page_style.js", "isDark");
  for (const [ground, dark] of [["rgb(18, 22, 27)", true], ["rgba(255, 255, 255, 1)", false]]) {
    globalThis.getComputedStyle = () => ({ backgroundColor: ground });
    assert.equal(isDark({}), dark);
  }
});

test("a pasted picture goes to the server, text stays where it is, and no listener is left", async () => {
  globalThis.document = new Page();
  globalThis.FileReader = class {
    readAsDataURL(part) { this.result = `data:image/png;base64,${part}`; this.onload(); }
  };
  const told = [];
  const paste = (await load("components/paste.js", "leave")).default;
  const arguments_ = { data: { most: 9 }, setTriggerValue: (...words) => told.push(words), parentElement: { dataset: {} } };
  paste(arguments_);
  const leave = paste(arguments_); // the page ran again: still one listener
  const pasted = (...files) => {
    const event = new Event("paste", { cancelable: true });
    event.clipboardData = { files };
    document.dispatchEvent(event);
    return event.defaultPrevented;
  };
  assert.equal(pasted({ type: "text/plain" }), false);
  assert.equal(pasted({ type: "image/png", name: "a.png", slice: (from, to) => `${from}-${to}` }), true);
  assert.deepEqual(told, [["pasted", { name: "a.png", content: "0-10" }]]);
  leave();
  assert.deepEqual([...document.listening], []);
});
