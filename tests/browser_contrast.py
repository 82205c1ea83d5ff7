"""The lowest contrast of any text on a page, computed in the browser from what it shows."""

from __future__ import annotations

LOWEST_CONTRAST = """
() => {
  const light = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parts(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const contrasts = [...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => [luminance(parts(getComputedStyle(e).color)), luminance(ground(e))].sort((a, b) => b - a))
    .map(([high, low]) => (high + .05) / (low + .05));
  return Math.min(...contrasts);
}
"""
