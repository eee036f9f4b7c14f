(() => {
  const root = document.documentElement;
  const attempt = (read) => {
    try {
      return read();
    } catch {
      return null;
    }
  };
  const hasToken = (storage) =>
    attempt(() => /^"[\w-]+\.[\w-]+\.[\w-]+"$/.test(window[storage].getItem("access_token")));
  root.dataset.auth = hasToken("sessionStorage") || hasToken("localStorage") ? "member" : "guest";

  const metas = [...document.querySelectorAll('meta[name="theme-color"]')];
  const colours = metas.map((meta) => meta.content);
  const paint = (theme) => {
    const at = ["light", "dark"].indexOf(theme);
    if (at < 0) delete root.dataset.theme;
    else root.dataset.theme = "gatehouse-" + theme;
    metas.forEach((meta, system) => (meta.content = colours[at < 0 ? system : at]));
    const select = document.getElementById("theme");
    if (select) select.value = at < 0 ? "" : theme;
  };
  const chosen = () => paint(attempt(() => localStorage.getItem("theme")));
  chosen();
  addEventListener("DOMContentLoaded", chosen);
  addEventListener("storage", chosen);
  addEventListener("change", ({ target: { id, value } }) => {
    if (id !== "theme") return;
    attempt(() => {
      if (value) localStorage.setItem("theme", value);
      else localStorage.removeItem("theme");
    });
    paint(value);
  });

  // A menu that is open when a phone is turned would stay in the top layer of the other layout.
  matchMedia("(min-width: 48rem)").addEventListener("change", () =>
    attempt(() => document.querySelectorAll(":popover-open").forEach((open) => open.hidePopover())),
  );

  const switchLanguage = () => {
    root.lang = root.lang === "zh" ? "en" : "zh";
    attempt(() => (document.cookie = `lang=${root.lang};path=/;max-age=31536000;samesite=lax`));
    for (const option of document.querySelectorAll("#theme option"))
      option.textContent = option.dataset[root.lang];
    dispatchEvent(new Event("languagechange"));
  };

  // On a touch screen the keyboard would cover the page.
  addEventListener("DOMContentLoaded", () => {
    if (matchMedia("(pointer: fine)").matches && document.activeElement === document.body)
      document.querySelector(".guests-only input:invalid")?.focus();
  });

  const mark = (name, on) => root.toggleAttribute("data-" + name, on);
  const markOffline = () => mark("offline", !navigator.onLine);
  markOffline();
  addEventListener("online", markOffline);
  addEventListener("offline", markOffline);
  for (const type of ["keydown", "keyup"])
    addEventListener(type, (event) => mark("caps", !!event.getModifierState?.("CapsLock")));

  const isPending = () => !("hydrated" in root.dataset);
  addEventListener("submit", (event) => {
    if (!isPending()) return;
    event.preventDefault();
    event.target.dataset.deferred = "";
  }, true);
  addEventListener("click", ({ target }) => {
    const button = target.closest('button[type="button"]:not([popovertarget])');
    if (button && isPending()) button.dataset.deferred = "";
    else if (button?.id === "language") switchLanguage();
  });
})();
