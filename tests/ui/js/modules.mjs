// Loads a module of the pages with names that it keeps to itself, and a page that is just large enough for it.
import { readFileSync } from "node:fs";

const read = (file) => readFileSync(new URL(`../../../explorer/ui/${file}`, import.meta.url), "utf8");

// as explorer/ui/components/mount.py joins a script with the bridge
export const load = (file, ...names) => {
  const source = read(file);
  const own = source.replace(/^import \{[^}]*\} from "[\w./]*bridge\.js";\n/m, "");
  const bridge = own === source ? "" : read("components/bridge.js").replace(/^export (?=const )/gm, "");
  const text = `${bridge}\n${own}\nexport { ${names.join(", ")} };`;
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
};

// an event target that tells what is listened to
export class Page extends EventTarget {
  constructor() {
    super();
    this.listening = new Set();
  }

  addEventListener(name, act, options) {
    this.listening.add(name);
    super.addEventListener(name, act, options);
  }

  removeEventListener(name, act, options) {
    this.listening.delete(name);
    super.removeEventListener(name, act, options);
  }
}
