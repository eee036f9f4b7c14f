((js, wasm) => {
  const { dataset } = document.documentElement;
  if (!window.WebAssembly) {
    dataset.missing = "";
    return;
  }
  const load = () => import(js).then((program) => program.default({ module_or_path: wasm }).then(() => program));
  const give = (error) => {
    console.error(error);
    dataset.broken = "";
  };
  load().then(
    (program) => {
      try {
        program.hydrate();
      } catch (error) {
        give(error);
      }
    },
    (error) => loadNewBuild(location.href).then((leaves) => leaves || give(error)),
  );
})
