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
  const load = (path) => import(path).then((program) => program.default({ module_or_path: wasm }).then(() => program));
  const start = (program, isSecond) => {
    let hasFailed = false;
    const fail = (error) => {
      if (hasFailed) return;
      hasFailed = true;
      if (isSecond || "hydrated" in dataset) return showBroken(error);
      program.end?.();
      load(js.replace("/pkg/", "/pkg/again/")).then((second) => start(second, true)).catch(showBroken);
    };
    const begin = () => {
      try {
        if (!isSecond && isUnchanged()) return program.hydrate();
        console.warn("Something has changed this page before it could start: it is rendered again.");
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
  const giveUp = (error) => loadNewBuild(location.href).then((leaves) => leaves || showBroken(error));
  load(js).then((program) => start(program, false), giveUp).catch(showBroken);
})
