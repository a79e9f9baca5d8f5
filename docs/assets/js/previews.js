// Links to figures, claims and cited works show what they lead to: a card beside the link while a mouse rests on it, or
// while it has the focus of a keyboard. A finger gets no card, for it follows the link. The text comes from the link.
"use strict" // so that the functions stay in the block
{
  const WAIT = 300 // milliseconds that a mouse rests on a link before its card appears
  const LINGER = 200 // milliseconds in which the mouse may reach the card
  const GAP = 6 // pixels between link and card, and between card and edge of the window
  const LEAST = 70 // pixels of height below which no card is worth showing
  const ID = "link-preview"

  let card // the element, made when first wanted
  let shown // the link that it describes
  let timer

  const element = (name, className, text = "") => {
    const made = document.createElement(name)
    made.className = className
    made.textContent = text
    return made
  }

  const linkOf = node => node.closest?.("a[data-preview-kind]") ?? null

  function made() {
    if (card) return card
    card = element("div", "preview")
    card.id = ID
    card.setAttribute("role", "tooltip")
    card.hidden = true
    card.addEventListener("pointerenter", () => clearTimeout(timer))
    card.addEventListener("pointerleave", () => later(hide, LINGER))
    document.body.append(card)
    return card
  }

  function picture({ previewImage }) {
    const scheme = document.body.dataset.mdColorScheme === "slate" ? "dark" : "light"
    const image = element("img", "preview__image")
    image.alt = ""
    image.src = previewImage.replace("{scheme}", scheme)
    return image
  }

  function content({ dataset }) {
    const parts = dataset.previewImage ? [picture(dataset)] : []
    if (dataset.previewVerdict) {
      const name = dataset.previewVerdict.split(" ").at(-1)
      parts.push(element("span", `verdict verdict--${name}`, dataset.previewVerdict))
    }
    parts.push(element("span", "preview__title", dataset.previewTitle))
    if (dataset.previewText) parts.push(element("span", "preview__text", dataset.previewText))
    return parts
  }

  // The card stands below or above the part of the link that is meant, where there is more room, and never on it.
  function place(link, at) {
    const lines = [...link.getClientRects()]
    const line = lines.find(each => at && each.top <= at.y && at.y <= each.bottom) ?? lines[0]
    if (!line) return false
    const { top, bottom } = link.getBoundingClientRect()
    const { clientWidth: width, clientHeight: height } = document.documentElement
    const header = document.querySelector(".md-header")?.getBoundingClientRect().bottom ?? 0
    const [above, below] = [top - Math.max(header, 0) - 2 * GAP, height - bottom - 2 * GAP]
    card.style.maxHeight = ""
    const wanted = card.offsetHeight
    const isBelow = below >= wanted || below >= above
    const room = isBelow ? below : above
    if (room < Math.min(wanted, LEAST)) return false
    const tall = Math.min(wanted, room)
    card.style.maxHeight = `${tall}px`
    card.style.top = `${isBelow ? bottom + GAP : top - GAP - tall}px`
    card.style.left = `${Math.max(GAP, Math.min(line.left, width - card.offsetWidth - GAP))}px`
    return true
  }

  function show(link, at) {
    hide()
    made().replaceChildren(...content(link))
    card.hidden = false
    if (!link.isConnected || !place(link, at)) {
      card.hidden = true
      return
    }
    shown = link
    const others = link.getAttribute("aria-describedby")
    link.setAttribute("aria-describedby", others ? `${others} ${ID}` : ID)
  }

  function hide() {
    clearTimeout(timer)
    if (!shown) return
    const others = shown.getAttribute("aria-describedby").split(" ").filter(each => each !== ID)
    if (others.length) shown.setAttribute("aria-describedby", others.join(" "))
    else shown.removeAttribute("aria-describedby")
    card.hidden = true
    shown = undefined
  }

  function later(action, wait) {
    clearTimeout(timer)
    timer = setTimeout(action, wait)
  }

  document.addEventListener("pointerover", event => {
    const link = linkOf(event.target)
    if (!link || event.pointerType !== "mouse") return
    if (link === shown) clearTimeout(timer)
    else later(() => show(link, { y: event.clientY }), WAIT)
  })
  document.addEventListener("pointerout", event => {
    const link = linkOf(event.target)
    if (!link || event.pointerType !== "mouse" || link.contains(event.relatedTarget)) return
    if (link === shown) later(hide, LINGER)
    else clearTimeout(timer)
  })
  document.addEventListener("focusin", event => {
    const link = linkOf(event.target)
    if (link?.matches(":focus-visible")) show(link)
  })
  document.addEventListener("focusout", event => linkOf(event.target) === shown && hide())
  document.addEventListener("pointerdown", event => card?.contains(event.target) || hide())
  document.addEventListener(
    "keydown",
    event => {
      if (event.key !== "Escape" || !shown) return
      hide()
      event.stopPropagation()
    },
    true,
  )
  // A link that gets the focus is scrolled into view, and its card goes with it.
  addEventListener(
    "scroll",
    event => {
      if (!shown || event.target === card) return
      if (shown !== document.activeElement || !place(shown)) hide()
    },
    { passive: true, capture: true },
  )
  addEventListener("resize", hide)
}
