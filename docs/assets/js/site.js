// The site's own interactive parts. Each is an element that adds controls to content that is complete without them.

const announce = (() => {
  let region
  return text => {
    if (!region) {
      region = document.createElement("div")
      region.className = "visually-hidden"
      region.setAttribute("role", "status")
      document.body.append(region)
    }
    region.textContent = text
  }
})()

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const area = document.createElement("textarea")
    area.value = text
    document.body.append(area)
    area.select()
    document.execCommand("copy")
    area.remove()
  }
}

function button(label, action) {
  const made = document.createElement("button")
  made.type = "button"
  made.textContent = label
  made.addEventListener("click", action)
  return made
}

// <cite-box> turns the citation formats beside it into tabs, each with a button that copies it.
class CiteBox extends HTMLElement {
  connectedCallback() {
    if (this.tabs) return
    this.formats = [...this.parentElement.querySelectorAll(".cite__format")]
    const list = document.createElement("div")
    list.setAttribute("role", "tablist")
    list.setAttribute("aria-label", "Citation formats")
    this.tabs = this.formats.map((format, index) => this.tab(format, index))
    list.append(...this.tabs)
    list.addEventListener("keydown", event => this.move(event))
    this.append(list, this.copyButton())
    this.parentElement.classList.add("cite--tabs")
    this.choose(0)
  }

  tab(format, index) {
    const name = format.dataset.format
    const tab = button(format.querySelector("h3").firstChild.textContent.trim(), () => this.choose(index))
    tab.id = `tab-${name}`
    tab.setAttribute("role", "tab")
    tab.setAttribute("aria-controls", `panel-${name}`)
    format.id = `panel-${name}`
    format.setAttribute("role", "tabpanel")
    format.setAttribute("aria-labelledby", tab.id)
    return tab
  }

  copyButton() {
    const made = button("Copy", async () => {
      const format = this.formats[this.chosen]
      await copy(format.querySelector("code").textContent)
      const name = this.tabs[this.chosen].textContent
      made.textContent = "Copied"
      announce(`Copied the citation as ${name}`)
      setTimeout(() => (made.textContent = "Copy"), 1500)
    })
    made.className = "cite__copy"
    return made
  }

  choose(index) {
    this.chosen = index
    this.tabs.forEach((tab, each) => {
      tab.setAttribute("aria-selected", each === index)
      tab.tabIndex = each === index ? 0 : -1
      this.formats[each].hidden = each !== index
    })
  }

  move(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -this.chosen, End: this.tabs.length - 1 - this.chosen }
    if (!(event.key in steps)) return
    event.preventDefault()
    this.choose((this.chosen + steps[event.key] + this.tabs.length) % this.tabs.length)
    this.tabs[this.chosen].focus()
  }
}

// <filter-list items="selector" label="..." noun="claims" facet="verdict" values="supported refuted ..."> narrows the
// items of its container by words, and by the values of one data attribute if `facet` names it. The address keeps what
// was asked ("?filter=pentagon&verdict=refuted"), so that it can be sent to others; "q" belongs to the theme's search.
class FilterList extends HTMLElement {
  connectedCallback() {
    if (this.input) return
    this.items = [...this.parentElement.querySelectorAll(this.getAttribute("items"))]
    this.words = this.items.map(item => `${item.textContent} ${item.id}`.toLowerCase())
    this.input = document.createElement("input")
    this.input.type = "search"
    this.input.placeholder = this.getAttribute("label")
    this.input.setAttribute("aria-label", this.getAttribute("label"))
    this.input.addEventListener("input", () => this.apply())
    this.count = document.createElement("span")
    this.count.className = "filter__count"
    this.count.setAttribute("role", "status")
    this.append(this.input, ...this.facetButtons(), this.count)
    this.restore()
    this.apply()
    this.restored = true
  }

  facetButtons() {
    const facet = this.getAttribute("facet")
    if (!facet) return []
    const present = new Set(this.items.map(item => item.dataset[facet]))
    const values = this.getAttribute("values").split(" ").filter(value => present.has(value))
    const group = document.createElement("span")
    group.className = "filter__facets"
    group.setAttribute("role", "group")
    group.setAttribute("aria-label", facet)
    this.buttons = values.map(value => {
      const made = button(value, () => {
        made.setAttribute("aria-pressed", made.getAttribute("aria-pressed") !== "true")
        this.apply()
      })
      made.dataset.value = value
      made.setAttribute("aria-pressed", "false")
      return made
    })
    group.append(...this.buttons)
    return [group]
  }

  get values() {
    const pressed = (this.buttons ?? []).filter(each => each.getAttribute("aria-pressed") === "true")
    return pressed.map(each => each.dataset.value)
  }

  restore() {
    const asked = new URLSearchParams(location.search)
    this.input.value = asked.get("filter") ?? ""
    const values = asked.getAll(this.getAttribute("facet") ?? "")
    for (const each of this.buttons ?? []) each.setAttribute("aria-pressed", values.includes(each.dataset.value))
  }

  remember() {
    if (!this.restored) return
    const address = new URL(location)
    const keep = (name, values) => {
      address.searchParams.delete(name)
      values.forEach(value => address.searchParams.append(name, value))
    }
    keep("filter", this.input.value.trim() ? [this.input.value.trim()] : [])
    if (this.buttons) keep(this.getAttribute("facet"), this.values)
    try {
      history.replaceState(history.state, "", address)
    } catch {
      // A browser may forbid this for files on disk, or so many times in a row; the filter works without.
    }
  }

  apply() {
    const wanted = this.input.value.toLowerCase().split(/\s+/).filter(Boolean)
    const values = this.values
    let shown = 0
    this.items.forEach((item, index) => {
      const fits =
        wanted.every(word => this.words[index].includes(word)) &&
        (values.length === 0 || values.includes(item.dataset[this.getAttribute("facet")]))
      item.hidden = !fits
      shown += fits
    })
    this.count.textContent =
      shown === this.items.length ? `${shown} ${this.getAttribute("noun")}` : `${shown} of ${this.items.length} ${this.getAttribute("noun")}`
    this.remember()
  }
}

customElements.define("cite-box", CiteBox)
customElements.define("filter-list", FilterList)

// A code block or formula too wide for the page can be scrolled with the keyboard.
for (const block of document.querySelectorAll(".md-typeset pre > code, .jupyter-wrapper pre, .formula")) {
  if (block.scrollWidth > block.clientWidth) block.tabIndex = 0
  else block.removeAttribute("tabindex")
}

// Material gives its search the role of a dialog and no name.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search")

// Explained terms can be reached with the keyboard; the theme shows the explanation.
for (const term of document.querySelectorAll("abbr[title]")) term.tabIndex = 0
