// A picture pasted anywhere on the page goes to the server, as base64; text is left to the fields.
let leave = () => {};

export default function ({ data, setTriggerValue, parentElement }) {
  leave();
  const take = (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((item) => item.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    const reader = new FileReader();
    reader.onload = () => setTriggerValue("pasted", { name: file.name, content: reader.result.split(",")[1] ?? "" });
    // one byte too many is enough to be refused by the server, in its own words
    reader.readAsDataURL(file.slice(0, data.most + 1));
  };
  document.addEventListener("paste", take);
  parentElement.dataset.listening = "paste";
  leave = () => document.removeEventListener("paste", take);
  return leave;
}
