// Streamlit repaints itself when the screen turns dark, but a page's own ink was chosen by its last run.
let leave = () => {};

export default function ({ setTriggerValue }) {
  leave();
  const app = document.querySelector(".stApp");
  const ground = () => getComputedStyle(app).backgroundColor;
  let before = ground();
  const look = () => {
    if (ground() === before) return;
    before = ground();
    setTriggerValue("turned", true);
  };
  const watch = new MutationObserver(look);
  watch.observe(app, { attributes: true, attributeFilter: ["class", "style"] });
  const screen = matchMedia("(prefers-color-scheme: dark)");
  const later = () => setTimeout(look, 300);
  screen.addEventListener("change", later);
  leave = () => {
    watch.disconnect();
    screen.removeEventListener("change", later);
  };
  return leave;
}
