// Writes query parameters into the address of the page, each order once.
//
// Streamlit keeps bound parameters as the address has them when a script changes a widget, so that a
// link copied after a preset would open the form as it was before.
let done = null;

export default function ({ data }) {
  if (!data.turn || data.turn === done) return;
  done = data.turn;
  const address = new URL(window.location.href);
  for (const [name, values] of Object.entries(data.parameters)) {
    address.searchParams.delete(name);
    for (const value of values) address.searchParams.append(name, value);
  }
  window.history.replaceState(window.history.state, "", address);
}
