((js, wasm) =>
  import(js)
    .then((program) => program.default({ module_or_path: wasm }).then(() => program.hydrate()))
    .catch((error) => {
      console.error(error);
      document.documentElement.dataset.broken = "";
    }))
