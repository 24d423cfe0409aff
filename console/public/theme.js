// Runs before the first paint: the theme and the language that this browser chose last.
(function () {
  try {
    var theme = localStorage.getItem("tokengate.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    var language = localStorage.getItem("tokengate.language");
    if (language === "en" || (!language && !/^zh\b/i.test(navigator.language))) document.documentElement.lang = "en";
  } catch {
    // Storage may be forbidden; the system's theme is used then.
  }
})();
