// Follows the theme of Jira, light or dark, as it is now and as it changes.
window.AP?.theming?.initializeTheming();
