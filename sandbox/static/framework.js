// How the bridge is told that the site draws something itself: a "framework module" of its adaptor.
export function framework(name, provider) {
  return { getModuleRegistrationName: () => name, getProvider: () => provider, isEnabled: () => true };
}
