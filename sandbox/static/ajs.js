// What Atlassian's bridge expects to find on the page before it loads: jQuery under the name of the old AUI library,
// and of AUI itself only the question which of its layers is on top. None is: this site draws its own dialogs.
window.AJS = {
  $: window.jQuery,
  LayerManager: { global: { getTopLayer: () => null } },
  contextPath: () => '',
};

// The bridge sends its usage figures to this module of Jira's. This site counts nothing.
window.require = () => ({ emitGasV3() {} });
