// Switches between the light and the dark theme and remembers it. Frames follow by themselves: the bridge watches the
// two attributes of <html> and tells every add-on that asked for theming.
const YEAR_S = 31536000;

document.getElementById('theme-toggle').addEventListener('click', (event) => {
  const root = document.documentElement;
  const mode = root.dataset.colorMode === 'dark' ? 'light' : 'dark';
  root.dataset.colorMode = mode;
  document.cookie = `${root.dataset.themeCookie}=${mode}; path=/; max-age=${YEAR_S}; samesite=lax`;
  event.currentTarget.setAttribute('aria-pressed', String(mode === 'dark'));
});
