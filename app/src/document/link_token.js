(() => {
  const hasToken = () => location.hash.length > 20;
  let token = "";
  if (hasToken()) {
    token = location.hash.slice(1);
    history.replaceState(history.state, "", location.pathname + location.search);
    document.documentElement.dataset.token = "";
  }
  window.takeLinkToken = () => {
    const taken = token;
    token = "";
    return taken;
  };
  // Another link that is opened in this tab changes nothing but the fragment.
  addEventListener("hashchange", () => hasToken() && location.reload());
})();
