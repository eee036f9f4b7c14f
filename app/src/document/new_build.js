window.loadNewBuild = async (address, asked) => {
  const program = 'link[rel="modulepreload"]';
  const named = (page) => page.querySelector(program)?.getAttribute("href");
  try {
    const signal = AbortSignal.timeout(10000);
    const headers = { Accept: "text/html" };
    const answer = await fetch(address, { cache: "no-store", headers, signal });
    const served = named(new DOMParser().parseFromString(await answer.text(), "text/html"));
    if (!served?.startsWith("/pkg/") || served === named(document)) return false;
    if (!asked) {
      if (sessionStorage.getItem("build") === served) return false;
      sessionStorage.setItem("build", served);
    }
    const target = new URL(address, location.href);
    if (target.pathname + target.search === location.pathname + location.search) location.reload();
    else location.assign(target);
    return true;
  } catch {
    return false;
  }
};
