// Before the first paint of a page that the site engine did not make: the colour scheme that the reader chose on the others.

const schemeKey = `${new URL(document.documentElement.dataset.root, location).pathname}.__palette`

function chosenScheme() {
  try {
    const color = JSON.parse(localStorage.getItem(schemeKey))?.color
    if (color && color.media !== "(prefers-color-scheme)") return color.scheme
  } catch {
    // No storage, or nothing of ours in it: the system decides.
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "slate" : "default"
}

document.documentElement.dataset.mdColorScheme = chosenScheme()
