const all = (selector) => [...document.querySelectorAll(selector)];
const afterApp = () => document.querySelector("[data-shape]");
const deferrable = ["#main form", ':is(.site-header, #main) button[type="button"]'];

const isUnchanged = () => {
  const end = afterApp();
  const nodes = document.createTreeWalker(document.body);
  let hash = 0;
  while (nodes.nextNode() && nodes.currentNode !== end) {
    for (const letter of nodes.currentNode.localName ?? nodes.currentNode.nodeName)
      hash = (Math.imul(hash, 31) + letter.charCodeAt()) >>> 0;
  }
  return end?.dataset.shape === String(hash);
};

const clear = () => {
  const nameOf = ({ id, name }) => id || name;
  const changed = all("input,select").filter(
    (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked,
  );
  const fields = changed.map((field) => {
    return [nameOf(field), { value: field.value, checked: field.checked }];
  });
  const focused = document.activeElement ?? document.body;
  const { selectionStart, selectionEnd } = focused;
  const deferred = deferrable.map((selector) => {
    return all(selector).findIndex((one) => "deferred" in one.dataset);
  });
  for (const part of all(".skip-link,.progress-line,.site-header,#main,.toasts")) part.remove();
  return () => {
    const named = (name) =>
      name && (document.getElementById(name) ?? document.getElementsByName(name)[0]);
    for (const [name, state] of fields) Object.assign(named(name) || {}, state);
    deferrable.forEach((selector, kind) => {
      all(selector)[deferred[kind]]?.setAttribute("data-deferred", "");
    });
    const field = named(nameOf(focused));
    if (!field) return;
    field.focus({ preventScroll: true });
    if (selectionStart != null) field.setSelectionRange(selectionStart, selectionEnd);
  };
};

