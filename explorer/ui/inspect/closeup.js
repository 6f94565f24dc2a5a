// Another block or channel is drawn at the key press, before the server has heard of it.
//
// The browser holds all maps of the net (explorer/ui/inspect/closeup.py). The slider and the channel's field stay
// the truth: a key is shown first and handed on to them after that paint, and whatever they say in the end
// is what is drawn. The server draws the same, so nothing depends on this file but the time it takes.
import {
  afterPaint, fieldOf, handOnKey, isModified, onPageChange, sliderOf, wasHandedOn, writeInto,
} from "../components/bridge.js";

const ALONG = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, Home: -Infinity, End: Infinity };
const UPON = { ArrowUp: 1, ArrowDown: -1 };
const SIDES = [32, 64]; // of a tile, in pixels
let kept = new Map(); // decoded values of the nets in view, by key
let down = null; // the tile under a pointer that has not been lifted yet; the page may run again meanwhile
let leave = () => {};

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// to the even neighbour where both are as near, as Python rounds
const rounded = (value) => Math.round(value) - (value % 1 === 0.5 && Math.round(value) % 2);

// numbers as explorer/charts/words.py says them
const said = (value) => {
  const size = Math.abs(value);
  const exponent = () => value.toExponential(2).replace(/\.?0*e-(\d+)/, (_, power) => `e-${power.padStart(2, "0")}`);
  const text = size >= 1000 ? rounded(value).toLocaleString("en-US")
    : size < 1e-4 && size > 0 ? exponent() : String(Number(value.toPrecision(3)));
  return text.replaceAll("-", "−");
};

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

// Maps (each {values, high, wide}) side by side as one picture; `place` puts a value on the ramp, 0 to 1.
const picture = (maps, high, wide, ramp, place) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [wide * maps.length, high];
  const paper = canvas.getContext("2d");
  const image = paper.createImageData(canvas.width, high);
  const pixels = new Uint32Array(image.data.buffer);
  maps.forEach((map, tile) => {
    for (let row = 0; row < high; row += 1) {
      const from = Math.floor((row * map.high) / high) * map.wide;
      const to = row * canvas.width + tile * wide;
      for (let column = 0; column < wide; column += 1) {
        const value = map.values[from + Math.floor((column * map.wide) / wide)];
        pixels[to + column] = ramp[Math.round(clamp(place(value), 0, 1) * (ramp.length - 1))];
      }
    }
  });
  paper.putImageData(image, 0, 0);
  return canvas.toDataURL();
};

// a ramp of (R, G, B) as the 32 bits of a pixel
const inked = (rgb) =>
  Uint32Array.from({ length: rgb.length / 3 }, (_, i) => (255 << 24) | (rgb[3 * i + 2] << 16) | (rgb[3 * i + 1] << 8) | rgb[3 * i]);

class Net {
  constructor(told, ramps) {
    Object.assign(this, told);
    this.ramps = ramps;
    if (told.values && !kept.has(told.key)) kept.set(told.key, new Float32Array(bytes(told.values).buffer));
    this.values = kept.get(told.key);
  }

  block(number) { return this.blocks[Math.min(number, this.blocks.length) - 1]; }

  channel(block, wanted) {
    return wanted === null || !(wanted >= 0 && wanted < block.count) ? block.strongest : wanted;
  }

  map(block, index, starts) {
    const size = block.high * block.wide;
    const parts = starts.map((start) => this.values.subarray(start + index * size, start + (index + 1) * size));
    const values = parts.length === 1 ? parts[0] : parts[0].map((value, i) => value + parts[1][i]);
    return { values, high: block.high, wide: block.wide };
  }

  output(block, index) {
    if (block.output !== null) return this.map(block, index, [block.output]);
    const total = this.map(block, index, block.parts.at(-1).starts);
    return { ...total, values: total.values.map((value) => Math.max(value, 0)) };
  }

  show(number, wanted) {
    const block = this.block(number);
    const index = this.channel(block, wanted);
    const at = `${Math.min(number, this.blocks.length)}-${index}`;
    document.querySelectorAll(`.tiles.${this.name} figure`).forEach((figure, tile) =>
      figure.classList.toggle("chosen", tile === Math.min(number, this.blocks.length) - 1));
    for (const [part, draw] of [["closeup", this.closeup], ["channels", this.grid]]) {
      const place = document.querySelector(`.${part}-${this.name}`);
      if (!this.values || place?.dataset.key !== this.key || place.dataset.at === at) continue;
      place.innerHTML = draw.call(this, block, index, at.split("-")[0]);
      place.dataset.at = at;
    }
  }

  signed(map, limit) {
    return picture([map], map.high, map.wide, this.ramps.diverging, (value) => (value / limit + 1) / 2);
  }

  closeup(block, index, number) {
    const parts = block.parts.map((part) => ({ ...part, map: this.map(block, index, part.starts) }));
    const output = this.output(block, index);
    const limit = Math.max(...parts.flatMap(({ map }) => Array.from(map.values, Math.abs))) || 1;
    const top = Math.max(...output.values);
    const zeros = output.values.reduce((count, value) => count + (value === 0), 0) / output.values.length;
    const figures = parts.map(({ title, what, map }) => {
      const norm = Math.sqrt(map.values.reduce((sum, value) => sum + value * value, 0));
      const ends = `${said(Math.min(...map.values))} to ${said(Math.max(...map.values))}`;
      return figure(this.signed(map, limit), title, `${what}; norm ${said(norm)}, ${ends}`);
    });
    const shades = picture([output], block.high, block.wide, this.ramps.sequential, (value) => value / (top || 1));
    const share = `${rounded(100 * zeros)} % zero, at most ${said(top)}`;
    figures.push(figure(shades, "output", `what leaves; ${share}`));
    return `<p><b>Block ${number}, channel ${index}</b> of ${block.count}, ${block.high}x${block.wide} pixels</p>`
      + `<div class="tiles maps">${figures.join("")}</div>`
      + this.bar(-limit, limit, "before the last ReLU") + this.bar(0, top, "output");
  }

  grid(block, index) {
    const maps = block.order.map((at) => this.output(block, at));
    const side = clamp(block.high, ...SIDES);
    const sheet = picture(maps, side, side, this.ramps.sequential, (value) => value / (block.top || 1));
    const name = `${this.name}-channels`;
    const tiles = block.order.map((at, i) => `<figure${at === index ? " class=chosen" : ""}>`
      + `<i role="img" aria-label="${at}" style="background-position: ${(100 * i) / Math.max(maps.length - 1, 1)}% 0"></i>`
      + `<figcaption>${at}</figcaption></figure>`);
    return `<p>${block.which}</p><style>.${name} i { background-image: url(${sheet}); `
      + `background-size: ${100 * maps.length}% 100%; }</style>`
      + `<div class="tiles ${name}" style="--tile: ${maps.length > 12 ? 44 : 64}px">${tiles.join("")}</div>`
      + this.bar(0, block.top, "zero and below are dark");
  }

  bar(low, high, what) {
    const image = low < 0 ? this.ramps.signedBar : this.ramps.bar;
    return `<div class="bar"><span>${said(low)}</span><img alt="Scale from ${said(low)} to ${said(high)}" `
      + `src="${image}"><span>${said(high)}</span><span>${what}</span></div>`;
  }
}

const figure = (source, title, what) =>
  `<figure><img alt="${escaped(title)}" src="${source}"><figcaption><b>${escaped(title)}</b><br>`
  + `${escaped(what)}</figcaption></figure>`;

const rampsOf = ({ diverging, sequential }) => {
  const ramps = { diverging: inked(bytes(diverging)), sequential: inked(bytes(sequential)) };
  const line = { values: Float32Array.from({ length: 128 }, (_, i) => i / 127), high: 1, wide: 128 };
  ramps.signedBar = picture([line], 1, 128, ramps.diverging, (value) => value);
  ramps.bar = picture([line], 1, 128, ramps.sequential, (value) => value);
  return ramps;
};

export default function ({ data, parentElement }) {
  leave();
  kept = new Map([...kept].filter(([key]) => data.nets.some((net) => net.key === key)));
  const ramps = rampsOf(data.ramps);
  const nets = data.nets.map((told) => new Net(told, ramps));
  const slider = () => sliderOf("block");
  const field = () => fieldOf("channel");
  // both are loaded by parts of their own, which may come after this one
  const ready = () => slider() !== null && field() !== null;
  let ahead = null; // what is shown before slider and field know of it
  let waiting = 0; // keys not yet handed on

  const now = () => ahead ?? {
    block: Number(slider().value), channel: field().value === "" ? null : Number(field().value),
  };
  const follow = () => {
    if (!ready()) return;
    const { block, channel } = now();
    nets.forEach((net) => net.show(block, channel));
    parentElement.dataset.following = "keys";
  };
  const choose = (change, handOn) => {
    ahead = { ...now(), ...change };
    follow();
    waiting += 1;
    afterPaint(() => {
      handOn();
      waiting -= 1;
      if (!waiting) setTimeout(() => { if (!waiting) { ahead = null; follow(); } });
    });
  };
  const chooseBlock = (block) => choose({ block }, () => {
    const before = block > 1 ? block - 1 : block + 1;
    writeInto(slider(), before); // a slider takes a value from a key alone
    handOnKey(slider(), before < block ? "ArrowRight" : "ArrowLeft");
  });
  const chooseChannel = (channel) => choose({ channel }, () => {
    writeInto(field(), channel);
    handOnKey(field(), "Enter");
  });

  const pressed = (event) => {
    const moves = event.target === slider() ? ALONG : event.target === field() ? UPON : {};
    const move = moves[event.key];
    if (move === undefined || isModified(event) || wasHandedOn(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { block, channel } = now();
    if (event.target === slider()) {
      const wanted = clamp(block + move, 1, Number(slider().max));
      choose({ block: wanted }, () => handOnKey(slider(), event.key));
    } else {
      const shown = nets[0].block(block);
      chooseChannel(clamp(nets[0].channel(shown, channel) + move, 0, shown.count - 1));
    }
  };
  const tileAt = (event) => {
    const tile = ready() && event.target.closest?.(".tiles figure");
    return tile && { tile, row: tile.parentElement, place: [...tile.parentElement.children].indexOf(tile) };
  };
  const chooseTile = ({ row, place }) => {
    for (const net of nets) {
      if (row.classList.contains(net.name)) chooseBlock(place + 1);
      const shown = net.block(now().block);
      if (row.classList.contains(`${net.name}-channels`)) chooseChannel(shown.order[place]);
    }
  };
  const clicked = (event) => {
    const found = tileAt(event);
    if (found) chooseTile(found);
  };
  // where the server redraws a tile under the pointer, the browser makes no click of it
  const touched = (event) => { down = tileAt(event); };
  const released = (event) => {
    const up = down && !down.tile.isConnected && tileAt(event);
    if (up && up.place === down.place && up.row.className === down.row.className) chooseTile(up);
    down = null;
  };

  document.addEventListener("keydown", pressed, { capture: true });
  document.addEventListener("click", clicked);
  document.addEventListener("pointerdown", touched);
  document.addEventListener("pointerup", released);
  const unfollow = onPageChange(follow);
  follow();
  leave = () => {
    unfollow();
    document.removeEventListener("keydown", pressed, { capture: true });
    document.removeEventListener("click", clicked);
    document.removeEventListener("pointerdown", touched);
    document.removeEventListener("pointerup", released);
  };
  return leave;
}
