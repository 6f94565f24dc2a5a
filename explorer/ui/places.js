// One entry of the browser's history per page, with the address that the page had when it was left.
//
// Streamlit adds an entry for each parameter that a script writes, and when a link is followed another one: the
// page that is left, without its parameters. Back would then show pages as nobody has seen them.
let leaving = false;

function follow(click) {
  const link = click.target.closest?.("a[href]");
  leaving = Boolean(link) && link.origin === location.origin && link.pathname !== location.pathname;
}

function pushed(state, unused, url) {
  const to = new URL(url ?? location.href, location.href);
  if (to.pathname !== location.pathname) {
    leaving = false;
    History.prototype.pushState.call(history, state, unused, url);
  } else if (!leaving) {
    history.replaceState(state, unused, url);
  }
}

export default function () {
  if (Object.hasOwn(history, "pushState")) return;
  history.pushState = pushed;
  document.addEventListener("click", follow, { capture: true });
}
