// The panels of add-ons beside an issue: each opens and closes, and the browser remembers which were closed.
//
// A frame is made when its panel is first open, because one that cannot be seen has no height.

const keyOf = (panel) => `sandbox-panel-closed-${panel.dataset.module}`;

export function showPanels(panels, embed) {
  for (const panel of panels) {
    const target = panel.querySelector('.panel-frame');
    const follow = () => {
      if (panel.open && !target.hasChildNodes()) embed(Number(panel.dataset.frame), target);
    };
    panel.open = localStorage.getItem(keyOf(panel)) === null;
    panel.addEventListener('toggle', () => {
      if (panel.open) localStorage.removeItem(keyOf(panel));
      else localStorage.setItem(keyOf(panel), 'yes');
      follow();
    });
    follow();
  }
}
