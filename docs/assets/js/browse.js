// The interactive parts of pages that are browsed. Each adds controls to content that is complete without them.

// <browse-table noun="latents"> searches and sorts the table in it; the address keeps what was asked, so that going
// back finds it again.
class BrowseTable extends HTMLElement {
  connectedCallback() {
    if (this.input) return
    this.body = this.querySelector("tbody")
    this.rows = [...this.body.rows]
    this.words = this.rows.map(row => row.textContent.toLowerCase())
    this.heads = [...this.querySelectorAll("thead th")]
    this.heads.forEach((head, column) => this.sortable(head, column))
    this.prepend(this.searchBar())
    this.restore()
  }

  searchBar() {
    const bar = document.createElement("div")
    bar.className = "browse-search"
    this.input = document.createElement("input")
    this.input.type = "search"
    this.input.placeholder = `Search the ${this.getAttribute("noun")}`
    this.input.setAttribute("aria-label", this.input.placeholder)
    this.input.addEventListener("input", () => this.apply())
    this.choice = document.createElement("select")
    this.choice.setAttribute("aria-label", "Sort by")
    this.choice.className = "browse-sort"
    this.choice.append(...this.choices())
    this.choice.addEventListener("change", () => this.sort(...this.choice.value.split(" ").map(Number)))
    this.count = document.createElement("span")
    this.count.setAttribute("role", "status")
    bar.append(this.input, this.choice, this.count)
    return bar
  }

  choices() {
    const first = new Option("as listed", "")
    const both = this.heads.flatMap((head, column) => [
      new Option(`${head.textContent}, rising`, `${column} 1`),
      new Option(`${head.textContent}, falling`, `${column} -1`),
    ])
    return [first, ...both]
  }

  sortable(head, column) {
    const button = document.createElement("button")
    button.type = "button"
    button.append(...head.childNodes)
    button.addEventListener("click", () => {
      const firstWay = "number" in head.dataset ? -1 : 1
      this.sort(column, this.column === column ? -this.way : firstWay)
    })
    head.append(button)
  }

  sort(column, way) {
    this.column = way ? column : undefined
    this.way = way
    const ordered = way ? this.inOrder(column, way) : this.rows
    this.body.append(...ordered)
    this.heads.forEach((head, each) => {
      if (way && each === column) head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending")
      else head.removeAttribute("aria-sort")
    })
    this.choice.value = way ? `${column} ${way}` : ""
    this.remember()
  }

  inOrder(column, way) {
    const isNumber = "number" in this.heads[column].dataset
    const keys = new Map(this.rows.map(row => [row, this.key(row.cells[column], isNumber)]))
    const before = (a, b) => (isNumber ? a - b : a.localeCompare(b, "en", { numeric: true }))
    return [...this.rows].sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)]
      if (a === null || b === null) return (a === null) - (b === null) // what is undefined stands last both ways
      return way * before(a, b)
    })
  }

  key(cell, isNumber) {
    if (!isNumber) return cell.textContent
    return cell.dataset.value === "" ? null : Number(cell.dataset.value)
  }

  apply() {
    const wanted = this.input.value.toLowerCase().split(/\s+/).filter(Boolean)
    let found = 0
    this.rows.forEach((row, index) => {
      row.hidden = !wanted.every(word => this.words[index].includes(word))
      found += !row.hidden
    })
    const noun = this.getAttribute("noun")
    this.count.textContent = found === this.rows.length ? `${found} ${noun}` : `${found} of ${this.rows.length} ${noun}`
    this.remember()
  }

  remember() {
    if (!this.restored) return
    const asked = new URLSearchParams()
    if (this.input.value) asked.set("search", this.input.value)
    if (this.way) asked.set("sort", `${this.column} ${this.way}`)
    history.replaceState(null, "", `#${asked}`)
  }

  restore() {
    const asked = new URLSearchParams(location.hash.slice(1))
    const [column, way] = (asked.get("sort") ?? "").split(" ").map(Number)
    this.input.value = asked.get("search") ?? ""
    if (this.heads[column] && (way === 1 || way === -1)) this.sort(column, way)
    this.apply()
    this.restored = true
  }
}

// <scheme-switch> is the button that changes the colour scheme, as the site's own does.
class SchemeSwitch extends HTMLElement {
  connectedCallback() {
    if (this.button) return
    this.button = document.createElement("button")
    this.button.type = "button"
    this.button.addEventListener("click", () => this.change())
    this.append(this.button)
    this.say()
  }

  get dark() {
    return document.documentElement.dataset.mdColorScheme === "slate"
  }

  say() {
    this.button.textContent = this.dark ? "Light scheme" : "Dark scheme"
  }

  change() {
    const scheme = this.dark ? "default" : "slate"
    document.documentElement.dataset.mdColorScheme = scheme
    const media = `(prefers-color-scheme: ${scheme === "slate" ? "dark" : "light"})`
    const color = { media, scheme, primary: "custom", accent: "custom" }
    try {
      localStorage.setItem(schemeKey, JSON.stringify({ index: scheme === "slate" ? 1 : 0, color }))
    } catch {
      // Without storage the choice holds for this page.
    }
    this.say()
  }
}

customElements.define("browse-table", BrowseTable)
customElements.define("scheme-switch", SchemeSwitch)

for (const box of document.querySelectorAll("#numbers")) {
  box.addEventListener("change", () => document.body.classList.toggle("browse--numbers", box.checked))
}
