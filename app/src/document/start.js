((js, wasm) => {
  const { dataset } = document.documentElement;
  if (!window.WebAssembly) {
    dataset.missing = "";
    return;
  }
  const showBroken = (error) => {
    if (error) console.error(error);
    dataset.broken = "";
  };
  const load = async (path) => {
    const program = await import(path);
    const { instantiateStreaming } = WebAssembly;
    const exports = {};
    WebAssembly.instantiateStreaming = async (source, imports) => {
      const { instance, module } = await instantiateStreaming(source, imports);
      return { instance: { exports: Object.assign(exports, instance.exports) }, module };
    };
    try {
      await program.default({ module_or_path: wasm });
    } finally {
      WebAssembly.instantiateStreaming = instantiateStreaming;
    }
    const disable = () => {
      for (const name in exports) if (typeof exports[name] === "function") exports[name] = () => [];
    };
    return { program, disable };
  };
  const start = ({ program, disable }, isSecond) => {
    let hasFailed = false;
    const fail = (error) => {
      if (hasFailed) return;
      hasFailed = true;
      if (isSecond || "hydrated" in dataset) return showBroken(error);
      disable();
      load(js.replace("/pkg/", "/pkg/again/"))
        .then((second) => start(second, true))
        .catch(showBroken);
    };
    const begin = () => {
      try {
        if (!isSecond && isUnchanged()) return program.hydrate();
        console.warn("Something has changed this page before hydration: it is rendered again.");
        const restore = clear();
        const container = document.createElement("div");
        program.mount(container);
        const end = afterApp();
        if (end) end.before(...container.childNodes);
        else document.body.append(...container.childNodes);
        restore();
      } catch (error) {
        fail(error);
      }
    };
    program.start(begin, fail);
  };
  const giveUp = (error) =>
    loadNewBuild(location.href).then((leaves) => leaves || showBroken(error));
  load(js).then((instance) => start(instance, false), giveUp).catch(showBroken);
})
