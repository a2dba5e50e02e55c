"""Somebody who has a keyboard and no mouse. Every stop on the way must show that the focus is there."""

import dataclasses

from playwright.async_api import Locator, Page, expect

MAX_STOPS = 150
# Of what is focused in the innermost frame: is it marked as such? Headings are places to read on from, not to press.
FOCUS = """
() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body || focused.tagName === 'IFRAME' || /^H[1-6]$/.test(focused.tagName)) return true;
  const style = getComputedStyle(focused);
  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
}
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    page: Page

    async def reach(self, wanted: Locator, *, backwards: bool = False) -> None:
        """Tab until it has the focus."""
        await expect(wanted).to_be_visible()
        for _ in range(MAX_STOPS):
            if await wanted.evaluate("element => element === document.activeElement && document.hasFocus()"):
                return
            await self.page.keyboard.press("Shift+Tab" if backwards else "Tab")
            for frame in self.page.frames:
                if "http" in frame.url:
                    assert await frame.evaluate(FOCUS), await frame.evaluate("document.activeElement.outerHTML")
        raise AssertionError(f"the keyboard does not get to {wanted}")

    async def press_on(self, wanted: Locator, key: str = "Enter", *, backwards: bool = False) -> None:
        await self.reach(wanted, backwards=backwards)
        await self.page.keyboard.press(key)

    async def type_into(self, wanted: Locator, words: str) -> None:
        await self.reach(wanted)
        await self.page.keyboard.type(words)

    async def go_back_to_the_top(self) -> None:
        """As a reload does: the focus is where a page begins."""
        await self.page.goto(self.page.url)
