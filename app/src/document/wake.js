((js, wasm) => {
  const { dataset } = document.documentElement;
  if (!window.WebAssembly) {
    dataset.missing = "";
    return;
  }
  const give = (error) => {
    if (error) console.error(error);
    dataset.broken = "";
  };
  const load = (path) => import(path).then((program) => program.default({ module_or_path: wasm }).then(() => program));
  const start = (program, isSecond) => {
    let isOver = false;
    const fail = (error) => {
      if (isOver) return;
      isOver = true;
      if (isSecond || "awake" in dataset) return give(error);
      program.end?.();
      load(js.replace("/pkg/", "/pkg/again/")).then((second) => start(second, true)).catch(give);
    };
    const begin = () => {
      try {
        if (!isSecond && isUnchanged()) return program.hydrate();
        console.warn("Something has changed this page before it could start: it is rendered again.");
        const restore = clear();
        const stage = document.createElement("div");
        program.mount(stage);
        const end = behindApp();
        if (end) end.before(...stage.childNodes);
        else document.body.append(...stage.childNodes);
        restore();
      } catch (error) {
        fail(error);
      }
    };
    program.start(begin, fail);
  };
  const giveUp = (error) => loadNewBuild(location.href).then((leaves) => leaves || give(error));
  load(js).then((program) => start(program, false), giveUp).catch(give);
})
