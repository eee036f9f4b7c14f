(() => {
  const texts = new WeakMap();
  const guard = (text, standIns) => {
    for (const standIn of standIns) texts.set(standIn, text);
    const putBack = () => {
      for (const key of Object.keys(guarded)) delete text[key];
      standIns[0].before(text);
      for (const standIn of standIns) standIn.remove();
    };
    const guarded = {
      nodeValue: {
        configurable: true,
        enumerable: true,
        set: (value) => (putBack(), (text.nodeValue = value)),
      },
      parentNode: { configurable: true, enumerable: true, get: () => (putBack(), text.parentNode) },
      remove: { configurable: true, enumerable: true, value: () => (putBack(), text.remove()) },
    };
    Object.defineProperties(text, guarded);
  };
  new MutationObserver((records) => {
    const added = new Set(records.flatMap(({ addedNodes }) => [...addedNodes]));
    for (const { addedNodes, removedNodes, previousSibling, nextSibling } of records) {
      const beside = [previousSibling, nextSibling].filter((node) => added.has(node)).slice(0, 1);
      const standIns = addedNodes.length ? [...addedNodes] : beside;
      for (const node of removedNodes) {
        const text = texts.get(node) ?? (standIns[0]?.localName === "font" ? node : null);
        if (text?.nodeType === 3 && !text.isConnected && standIns[0]?.isConnected)
          guard(text, standIns);
      }
    }
  }).observe(document, { childList: true, subtree: true });
})();
