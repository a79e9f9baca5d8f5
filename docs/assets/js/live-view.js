// <live-model> trains toy models on the page when a reader asks for it, and shows them: arrows, W^T W, the loss against
// the exact optimum, and a census of shapes beside the published one. Its settings stand in the address.
// The model is in live-model.js and live-shapes.js; what it shows of the report is JSON inside the element.
{
  const { Stage, Turntable, paintMarks, element } = Views
  const ADDRESS = "#live?"
  const TURN = 25 // milliseconds that training may hold up a page without a worker
  const WORKER = document.currentScript.src.replace("live-view.js", "live-run.js")
  const calm = matchMedia("(prefers-reduced-motion: reduce)")
  const percent = share => `${Math.round(100 * share)} %`
  const short = value => Number(value.toPrecision(4)).toString()

  // What a reader may set: [setting, words, choices or null, step]. Limits are those of the model.
  const CONTROLS = [
    ["n", "features n", null, 1],
    ["d", "dimensions d", null, 1],
    ["p", "density p", null, "any"],
    ["decay", "importance of each feature over the one before", null, "any"],
    ["ratio", "density of the first feature over the others", null, "any"],
    ["coupling", "pairs of features", { none: "independent", together: "come together", apart: "exclude each other" }],
    ["output", "output", { relu: "ReLU", linear: "linear" }],
    ["recipe", "training", null],
    ["seeds", "runs at once", null, 1],
    ["seed", "random seed", null, 1],
  ]
  const COUNTS = { shapes: "shapes", "two directions": "better or worse than two directions", "odd feature": "whether the first feature is kept", partners: "where partners stand" } // prettier-ignore

  // Trains in a worker, or in turns on the page where there is none; returns a function that stops it.
  function train(settings, recipe, show) {
    let stop = () => {}
    const here = () => {
      const frames = liveRun(settings, recipe)
      let timer
      const turn = () => {
        const until = performance.now() + TURN
        let next
        do next = frames.next()
        while (!next.done && !next.value && performance.now() < until)
        if (next.value) show(next.value)
        if (!next.done) timer = setTimeout(turn)
      }
      timer = setTimeout(turn)
      stop = () => clearTimeout(timer)
    }
    if (location.protocol === "file:") here()
    else {
      try {
        const worker = new Worker(WORKER)
        worker.onmessage = ({ data }) => show(data)
        worker.onerror = here
        worker.postMessage({ settings, recipe })
        stop = () => worker.terminate()
      } catch {
        here()
      }
    }
    return () => stop()
  }

  class LiveModelView extends HTMLElement {
    connectedCallback() {
      if (!this.parts) this.build()
      this.stages.forEach(stage => stage.start())
      this.heard = () => this.restore()
      addEventListener("hashchange", this.heard)
      this.restore()
    }

    disconnectedCallback() {
      this.halt?.()
      removeEventListener("hashchange", this.heard)
      this.stages.forEach(stage => stage.stop())
    }

    // ---- Parts -----------------------------------------------------------------------------------------------------

    build() {
      this.told = JSON.parse(this.querySelector("script").textContent)
      this.compact = "compact" in this.dataset
      this.frames = []
      const parts = (this.parts = {})
      parts.presets = this.presetButtons()
      parts.about = element("p", "live__about")
      parts.status = element("p", "live__status", "Nothing has been trained yet.")
      parts.status.setAttribute("role", "status")
      parts.train = button("Train", () => (this.halt ? this.cancel() : this.begin()))
      parts.train.classList.add("live__train")
      parts.bar = element("progress", "live__progress")
      Object.assign(parts.bar, { max: 1, value: 0 })
      parts.bar.setAttribute("aria-label", "Training")
      parts.table = element("table", "live__census")
      parts.caption = element("p", "live__caption")
      this.append(
        parts.presets, parts.about,
        element("div", "live__bar", parts.train, parts.bar, parts.status),
        this.pictures(), parts.table, parts.caption, this.settingsBox(),
      ) // prettier-ignore
      this.use(this.told.presets.find(preset => preset.statement === this.dataset.preset) ?? this.told.presets[0])
    }

    presetButtons() {
      const buttons = this.told.presets.map(preset => {
        const made = button(`${preset.statement} ${preset.label}`, () => {
          this.use(preset)
          this.remember()
        })
        made.dataset.statement = preset.statement
        return made
      })
      const group = element("div", "live__presets", ...buttons)
      group.setAttribute("role", "group")
      group.setAttribute("aria-label", "Settings of a statement")
      return group
    }

    pictures() {
      const stage = (label, paint, name) => {
        const made = new Stage(label, paint)
        made.canvas.classList.add(`live__${name}`)
        return made
      }
      const seen = point => (this.settings.d === 3 ? this.table.seen(point) : point)
      this.arrows = stage("Columns of W of one run, as arrows", (...where) => this.paintArrows(...where), "arrows")
      this.table = new Turntable(this.arrows)
      this.seeds = stage("Columns of W of every run, small", (context, width, height) => {
        if (this.models) LiveDraw.paintSeeds(context, width, height, { models: this.models, chosen: this.chosen, reach: this.reach, seen }) // prettier-ignore
      }, "seeds") // prettier-ignore
      this.seeds.canvas.addEventListener("click", event => this.pick(event))
      this.gram = stage("W transposed times W of the run shown", (context, width, height) => {
        if (this.models) LiveDraw.paintGram(context, width, height, this.models[this.chosen].gram)
      }, "gram") // prettier-ignore
      this.loss = stage("Loss of the best and of the median run while training", (context, width, height) => {
        const { frames, recipe } = this
        if (frames.length) LiveDraw.paintLoss(context, width, height, { frames, optimum: this.optimum?.loss, steps: recipe.steps }) // prettier-ignore
      }, "loss") // prettier-ignore
      this.stages = [this.arrows, this.seeds, this.gram, this.loss]
      this.slider = element("input", "live__slider")
      Object.assign(this.slider, { type: "range", min: 1, max: 1, value: 1, step: 1 })
      this.slider.setAttribute("aria-label", "Run shown")
      this.slider.addEventListener("input", () => this.choose(Number(this.slider.value) - 1))
      this.words = element("span", "live__words")
      const panel = (title, ...children) => element("div", "live__panel", element("p", "live__title", title), ...children)
      return element(
        "div", "live__pictures",
        panel("Every run", this.seeds.canvas),
        panel("One run", this.arrows.canvas, element("div", "live__pick", this.slider, this.words)),
        panel("Loss over that of a model that represents nothing", this.loss.canvas),
        panel("WᵀW of that run", this.gram.canvas),
      ) // prettier-ignore
    }

    settingsBox() {
      this.inputs = {}
      const rows = CONTROLS.map(([name, words, choices, step]) => {
        const listed = name === "recipe" ? Object.fromEntries(Object.entries(this.told.recipes).map(([key, { label }]) => [key, label])) : choices // prettier-ignore
        const input = element(listed ? "select" : "input", "live__input")
        if (listed) input.append(...Object.entries(listed).map(([value, label]) => new Option(label, value)))
        else Object.assign(input, { type: "number", min: LiveModel.LIMITS[name][0], max: LiveModel.LIMITS[name][1], step })
        input.name = name
        input.addEventListener("change", () => {
          this.change({ ...this.settings, [name]: listed ? input.value : Number(input.value) })
          this.remember()
        })
        this.inputs[name] = input
        return element("label", "live__row", element("span", "", words), input)
      })
      const counts = element("select", "live__input")
      counts.append(...Object.entries(COUNTS).map(([value, label]) => new Option(label, value)))
      counts.addEventListener("change", () => {
        this.change(this.settings, counts.value)
        this.remember()
      })
      this.inputs.counts = counts
      rows.push(element("label", "live__row", element("span", "", "the census counts"), counts))
      const box = element("details", "live__settings", element("summary", "", "Settings"), element("div", "live__rows", ...rows)) // prettier-ignore
      box.open = !this.compact && innerWidth > 900
      return box
    }

    // ---- Settings --------------------------------------------------------------------------------------------------

    use(preset) {
      this.change(LivePublished.presetSettings(preset), preset.counts)
    }

    // Takes settings, and forgets what was trained with others.
    change(wanted, counts = this.counts) {
      this.cancel()
      const recipe = wanted.recipe in this.told.recipes ? wanted.recipe : Object.keys(this.told.recipes)[0]
      this.settings = LiveModel.settled({ ...wanted, recipe })
      this.recipe = this.told.recipes[recipe]
      this.counts = this.countable(counts)
      this.optimum = LivePublished.optimum(this.told, this.settings)
      this.published = LivePublished.publishedCensus(this.told, this.settings, this.counts)
      this.models = null
      this.frames = []
      this.parts.bar.value = 0
      this.parts.status.textContent = "Nothing has been trained yet."
      for (const [name, input] of Object.entries(this.inputs)) {
        input.value = name === "counts" ? this.counts : typeof this.settings[name] === "number" ? short(this.settings[name]) : this.settings[name] // prettier-ignore
      }
      const preset = LivePublished.presetOf(this.told, this.settings, this.counts)
      for (const each of this.parts.presets.children) each.setAttribute("aria-pressed", each.dataset.statement === preset?.statement) // prettier-ignore
      this.describe()
      this.report()
      this.stages.forEach(stage => stage.draw())
    }

    // Returns what can be counted with these settings: the census asked for, or shapes.
    countable(counts) {
      const { n, d, coupling } = this.settings
      if (counts === "partners") return d === 2 && [4, 6].includes(n) && (coupling !== "none" || n === 6) ? counts : "shapes"
      if (counts === "two directions") return d === 2 && LivePublished.twoDirections(this.settings) !== null ? counts : "shapes"
      return counts in COUNTS ? counts : "shapes"
    }

    describe() {
      const { n, d, p, ratio, decay, coupling, output, seeds } = this.settings
      const words = [`${n} features in ${d} dimension${d > 1 ? "s" : ""}, each present with probability ${short(p)}`]
      if (ratio !== 1) words.push(`the first with ${short(p * ratio)}`)
      if (coupling !== "none") words.push(coupling === "together" ? "in pairs that come together" : "in pairs that exclude each other") // prettier-ignore
      if (decay !== 1) words.push(`each ${short(decay)} times as important as the one before`)
      if (output === "linear") words.push("without the ReLU")
      this.parts.about.textContent = `${words.join(", ")}; ${seeds} run${seeds > 1 ? "s" : ""} of ${this.recipe.steps.toLocaleString("en")} steps.` // prettier-ignore
    }

    remember() {
      const state = new URLSearchParams({ ...this.settings, counts: this.counts })
      history.replaceState(history.state, "", ADDRESS + state)
    }

    restore() {
      if (!location.hash.startsWith(ADDRESS)) return
      const wanted = Object.fromEntries(new URLSearchParams(location.hash.slice(ADDRESS.length)))
      for (const name of Object.keys(LiveModel.LIMITS)) if (name in wanted) wanted[name] = Number(wanted[name])
      this.change({ ...LivePublished.PLAIN, n: 5, d: 2, ...wanted }, wanted.counts)
      this.scrollIntoView()
    }

    // ---- Training --------------------------------------------------------------------------------------------------

    begin() {
      this.frames = []
      this.chosen = 0
      this.slider.max = this.settings.seeds
      this.parts.train.textContent = "Stop"
      this.parts.status.textContent = `Training ${this.settings.seeds} runs.`
      this.remember()
      this.halt = train(this.settings, this.recipe, frame => this.show(frame))
    }

    cancel() {
      if (!this.halt) return
      this.halt()
      this.halt = null
      this.parts.train.textContent = "Train"
      this.parts.status.textContent = "Stopped."
    }

    show(frame) {
      const { factor = 1 } = frame
      this.frames = this.frames.map(past => ({ ...past, best: past.best * factor, median: past.median * factor }))
      this.frames.push(frame)
      this.parts.bar.value = frame.step / frame.steps
      if (calm.matches && !frame.done) return
      const { n } = this.settings
      this.models = Array.from({ length: this.settings.seeds }, (_, k) => this.model(frame, k, n))
      const sizes = this.models.flatMap(({ columns }) => columns.map(column => Math.hypot(...column)))
      this.reach = Math.max(1.1, ...sizes)
      if (frame.done) {
        this.halt = null
        this.parts.train.textContent = "Train again"
        this.chosen = frame.losses.indexOf(Math.min(...frame.losses))
      }
      this.choose(this.chosen)
      this.report()
      if (frame.done) this.parts.status.textContent = this.summary()
    }

    model(frame, k, n) {
      const W = frame.W.subarray(3 * n * k, 3 * n * (k + 1))
      const columns = LiveShapes.columnsOf(W)
      const gram = columns.map(one => columns.map(two => one[0] * two[0] + one[1] * two[1] + one[2] * two[2]))
      return { columns, gram, loss: frame.losses[k], kind: this.kind(W, frame.losses[k]) }
    }

    kind(W, loss) {
      const { d, coupling, n } = this.settings
      if (this.counts === "odd feature") return LiveShapes.oddOf(W)
      if (this.counts === "two directions") return `${loss > LivePublished.twoDirections(this.settings) ? "worse" : "better"} than two directions`
      if (this.counts === "shapes") return LiveShapes.shapeOf(W, d)
      const pairs = Array.from({ length: n >> 1 }, (_, k) => [2 * k, 2 * k + 1])
      return LiveShapes.partnersOf(W, pairs, coupling)
    }

    choose(index) {
      if (!this.models) return
      this.chosen = Math.max(0, Math.min(index, this.models.length - 1))
      const { kind, loss } = this.models[this.chosen]
      this.slider.value = this.chosen + 1
      this.words.textContent = `run ${this.chosen + 1}: ${kind}, loss ${loss.toPrecision(3)}`
      this.slider.setAttribute("aria-valuetext", this.words.textContent)
      this.stages.forEach(stage => stage.draw())
    }

    pick(event) {
      if (!this.models) return
      const { clientWidth, clientHeight } = this.seeds.canvas
      const { columns, side } = LiveDraw.cells(this.models.length, clientWidth, clientHeight)
      const [column, row] = [Math.floor(event.offsetX / side), Math.floor(event.offsetY / side)]
      if (column < columns && row * columns + column < this.models.length) this.choose(row * columns + column)
    }

    paintArrows(context, width, height) {
      if (!this.models) return
      if (this.settings.d === 3) this.seeds.draw() // every run turns with the one shown
      const { columns, kind } = this.models[this.chosen]
      const flat = this.settings.d < 3
      const tone = Math.max(0, LiveDraw.colourOf(kind))
      const colours = columns.map((_, i) => (this.counts === "odd feature" ? (i ? 0 : 1) : this.counts === "partners" ? i >> 1 : tone)) // prettier-ignore
      const positions = flat ? columns.map(([x, y]) => [x, y]) : columns
      const labels = columns.map((column, i) => (Math.hypot(...column) > 0.1 ? String(i + 1) : ""))
      paintMarks(context, width, height, { positions, edges: [], faces: [], labels, colours, arrows: true, radius: this.reach }, this.table) // prettier-ignore
    }

    // ---- Words -----------------------------------------------------------------------------------------------------

    // Shows the census here and the published one, and what the loss is compared with.
    report() {
      const counted = this.models ? LiveShapes.census(this.models.map(({ kind }) => kind)) : []
      const shares = this.published?.shares ?? new Map()
      const kinds = [...new Set([...counted.map(([kind]) => kind), ...[...shares].sort((a, b) => b[1] - a[1]).filter(([, share]) => share > 0).map(([kind]) => kind)])] // prettier-ignore
      const head = element("tr", "", element("th", "", "shape"), element("th", "", "here"), element("th", "", "published"))
      const rows = kinds.map(kind => {
        const count = counted.find(([each]) => each === kind)?.[1] ?? 0
        const name = element("th", "", element("span", "live__swatch"), kind)
        name.scope = "row"
        name.firstChild.dataset.series = LiveDraw.colourOf(kind)
        const here = element("td", "", this.models ? `${count} of ${this.models.length}` : "–")
        return element("tr", "", name, here, element("td", "", this.published ? percent(shares.get(kind) ?? 0) : "–"))
      })
      this.parts.table.replaceChildren(element("thead", "", head), element("tbody", "", ...rows))
      for (const cell of head.children) cell.scope = "col"
      this.parts.caption.replaceChildren(...this.sources())
    }

    sources() {
      const { published, optimum } = this
      const last = this.frames.at(-1)
      const words = []
      if (published) {
        const link = element("a", "", `Figure ${published.number}`)
        link.href = `${this.dataset.root}${published.page}#figure-${published.figure}`
        words.push("Published: ", link, `, ${published.total} runs. `)
      } else words.push("The report has no census for these settings. ")
      if (optimum) words.push(`Exact optimum: ${optimum.loss.toPrecision(4)} (${optimum.name}). `)
      else words.push("The report has computed no exact optimum for these settings. ")
      if (last) words.push(`Best run here: ${last.best.toPrecision(4)}${last.exact || last.done ? ", computed exactly" : ""}.`)
      if (last?.done && published) words.push(this.agreement())
      if (last?.done && !last.exact) words.push(" Other losses are estimated on common samples.")
      return words
    }

    // Says whether the shares here are what chance allows, given the published ones.
    agreement() {
      const { shares, total } = this.published
      const here = new Map(LiveShapes.census(this.models.map(({ kind }) => kind)))
      const errors = [...new Set([...here.keys(), ...shares.keys()])].map(kind => [kind, LiveShapes.difference(here.get(kind) ?? 0, this.models.length, (shares.get(kind) ?? 0) * total, total)]) // prettier-ignore
      const [kind, most] = errors.reduce((one, two) => (two[1] > one[1] ? two : one))
      return most < 3
        ? " Every share agrees with the published one within three standard errors."
        : ` The share of “${kind}” differs from the published one by ${most.toFixed(1)} standard errors.`
    }

    summary() {
      const counted = LiveShapes.census(this.models.map(({ kind }) => kind))
      return `Of ${this.models.length} runs: ${counted.map(([kind, count]) => `${count} × ${kind}`).join(", ")}.`
    }
  }

  customElements.define("live-model", LiveModelView)
}
