// Loads a module of the pages with names that it keeps to itself, and a page that is just large enough for it.
import { readFileSync } from "node:fs";

export const load = (file, ...names) => {
  const source = readFileSync(new URL(`../../../explorer/ui/${file}`, import.meta.url), "utf8");
  const text = `${source}\nexport { ${names.join(", ")} };`;
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
