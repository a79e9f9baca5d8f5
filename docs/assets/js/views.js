// Views of figures that a reader moves by hand: <solid-view> turns solids, <frames-view> steps through frames.
// Each holds its data as JSON beside the static figure, which stays. Nothing moves until it is asked to.
// `button` comes from site.js.
{
  const KEY_TURN = 10 // degrees for one press of an arrow key
  const DRAG_TURN = 0.6 // degrees for one pixel of a drag
  const START = { yaw: 25, pitch: 18 }
  const EYE = 4.5 // distance of the eye, in radii
  const FRAME_TIME = 110 // milliseconds that a frame stays while playing
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }

  const stages = new Set()
  const redraw = () => stages.forEach(stage => stage.draw())
  new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] })
  document.fonts?.ready.then(redraw)

  const style = name => getComputedStyle(document.body).getPropertyValue(name).trim()
  const palette = () => [0, 1, 2, 3, 4, 5].map(index => style(`--series-${index}`))

  function element(name, className, ...children) {
    const made = document.createElement(name)
    made.className = className
    made.append(...children)
    return made
  }

  const read = view => JSON.parse(view.querySelector("script").textContent)

  // A canvas as wide as its place, redrawn when that, the data or the colour scheme changes.
  class Stage {
    constructor(label, paint) {
      this.paint = paint
      this.canvas = element("canvas", "view__canvas")
      this.canvas.setAttribute("role", "img")
      this.canvas.setAttribute("aria-label", label)
      this.resized = new ResizeObserver(() => this.draw())
    }

    start() {
      stages.add(this)
      this.resized.observe(this.canvas)
    }

    stop() {
      stages.delete(this)
      this.resized.disconnect()
    }

    draw() {
      const { clientWidth: width, clientHeight: height } = this.canvas
      if (!width || !height) return
      const dots = window.devicePixelRatio || 1
      this.canvas.width = Math.round(width * dots)
      this.canvas.height = Math.round(height * dots)
      const context = this.canvas.getContext("2d")
      context.scale(dots, dots)
      context.lineCap = context.lineJoin = "round"
      context.font = `12px ${style("--sans")}`
      this.paint(context, width, height)
    }
  }

  // Turns what a stage shows: by pointer, by the arrow keys, and by a finger that moves sideways; up and down scrolls.
  class Turntable {
    constructor(stage) {
      this.stage = stage
      this.reset()
      const { canvas } = stage
      canvas.tabIndex = 0
      canvas.classList.add("view__canvas--turns")
      canvas.setAttribute("role", "application")
      canvas.setAttribute("aria-roledescription", "solid that turns")
      canvas.setAttribute("aria-label", `${canvas.getAttribute("aria-label")}. The arrow keys turn it, Home resets it.`)
      canvas.addEventListener("keydown", event => this.key(event))
      canvas.addEventListener("pointerdown", event => event.button === 0 && this.hold(event))
      canvas.addEventListener("pointermove", event => this.drag(event))
    }

    reset() {
      Object.assign(this, START)
      this.stage.draw()
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === "Home") this.reset()
      else if (event.key in ARROWS) this.turn(...ARROWS[event.key].map(sign => sign * KEY_TURN))
      else return
      event.preventDefault()
    }

    hold(event) {
      this.held = event
      this.stage.canvas.setPointerCapture(event.pointerId)
    }

    drag(event) {
      if (!this.stage.canvas.hasPointerCapture(event.pointerId)) return
      this.turn(DRAG_TURN * (event.clientX - this.held.clientX), -DRAG_TURN * (event.clientY - this.held.clientY))
      this.held = event
    }

    turn(yaw, pitch) {
      this.yaw = (this.yaw + yaw) % 360
      this.pitch = Math.max(-90, Math.min(90, this.pitch - pitch))
      this.stage.draw()
    }

    // Returns the point as seen: x to the right, y upwards, z towards the reader.
    seen([x, y, z]) {
      const [cosYaw, sinYaw] = [Math.cos((this.yaw * Math.PI) / 180), Math.sin((this.yaw * Math.PI) / 180)]
      const [cosPitch, sinPitch] = [Math.cos((this.pitch * Math.PI) / 180), Math.sin((this.pitch * Math.PI) / 180)]
      const [across, away] = [cosYaw * x - sinYaw * y, cosYaw * y + sinYaw * x]
      return [across, cosPitch * z + sinPitch * away, sinPitch * z - cosPitch * away]
    }
  }

  // Draws marks in the plane or in space, far ones first, smaller and fainter; `radius` fits the stage.
  function paintMarks(context, width, height, scene, table) {
    const { positions, edges, faces, labels, colours, arrows, radius } = scene
    const tones = palette()
    const unit = (Math.min(width, height) / 2 - 14) / radius
    const flat = positions[0]?.length === 2
    const marks = positions.map(point => (flat ? [...point, 0] : table.seen(point)))
    const place = ([x, y, z]) => {
      const scale = (unit * EYE) / (EYE - z / radius)
      return [width / 2 + scale * x, height / 2 - scale * y]
    }
    const nearness = z => (flat ? 1 : Math.max(0, Math.min(1, (z / radius + 1) / 2)))
    const path = points => {
      context.beginPath()
      points.forEach((point, index) => context[index ? "lineTo" : "moveTo"](...place(point)))
    }
    const depth = points => points.reduce((sum, point) => sum + point[2], 0) / points.length
    const line = (points, tone, thick) => () => {
      context.globalAlpha = 0.3 + 0.7 * nearness(depth(points))
      context.strokeStyle = tone
      context.lineWidth = thick * (0.6 + 0.6 * nearness(depth(points)))
      path(points)
      context.stroke()
    }
    const shapes = []
    const add = (points, paint, lift = 0) => shapes.push([depth(points) + lift, paint])
    for (const ring of faces) {
      const points = ring.map(index => marks[index])
      add(points, () => {
        context.globalAlpha = 0.12
        context.fillStyle = tones[colours[ring[0]] ?? 0]
        path(points)
        context.fill()
      })
    }
    for (const [from, to] of edges) add([marks[from], marks[to]], line([marks[from], marks[to]], style("--ink-soft"), 1.4))
    if (arrows) marks.forEach((mark, index) => add([mark], line([[0, 0, 0], mark], tones[colours[index] ?? 0], 2)))
    marks.forEach((mark, index) =>
      add([mark], () => {
        const [x, y] = place(mark)
        const size = (arrows ? 3 : 5) * (0.75 + 0.45 * nearness(mark[2]))
        context.globalAlpha = 0.45 + 0.55 * nearness(mark[2])
        context.fillStyle = tones[colours[index] ?? 0]
        context.beginPath()
        context.arc(x, y, size, 0, 2 * Math.PI)
        context.fill()
        if (!labels[index]) return
        context.fillStyle = style("--ink")
        context.textAlign = x < width / 2 ? "right" : "left"
        context.textBaseline = "middle"
        context.fillText(labels[index], x + (x < width / 2 ? -1 : 1) * (size + 4), y)
      }, 0.01 * radius),
    )
    if (flat) {
      context.strokeStyle = style("--rule")
      context.beginPath()
      context.arc(width / 2, height / 2, unit, 0, 2 * Math.PI)
      context.stroke()
    }
    shapes.sort((one, other) => one[0] - other[0]).forEach(([, paint]) => paint())
    context.globalAlpha = 1
  }

  // Draws lines over time: faint as a whole, in full up to `frame`, with a rule and a dot on each line there.
  function paintCurves(context, width, height, panel, frame) {
    const [left, right, top, bottom] = [46, width - 14, 22, height - 34]
    const span = (values, ticks) => [...values, ...ticks.map(([at]) => at)]
    const ends = values => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
    const [x0, x1] = ends(span(panel.x, panel.axes[0].ticks))
    const [y0, y1] = ends(span(panel.y.flat(), panel.axes[1].ticks))
    const at = (x, y) => [left + ((x - x0) / (x1 - x0)) * (right - left), bottom - ((y - y0) / (y1 - y0)) * (bottom - top)]
    const tones = palette()
    context.strokeStyle = style("--ink-soft")
    context.strokeRect(left, bottom, right - left, 0)
    context.strokeRect(left, top, 0, bottom - top)
    context.fillStyle = style("--ink-soft")
    context.textAlign = "center"
    context.textBaseline = "top"
    for (const [x, words] of panel.axes[0].ticks) context.fillText(words, at(x, y0)[0], bottom + 5)
    context.fillText(panel.axes[0].label, (left + right) / 2, bottom + 19)
    context.textAlign = "right"
    context.textBaseline = "middle"
    for (const [y, words] of panel.axes[1].ticks) context.fillText(words, left - 5, at(x0, y)[1])
    context.textAlign = "left"
    context.fillText(panel.axes[1].label, 4, 9)
    const many = panel.y.length > 20
    const trace = (line, until) => {
      context.beginPath()
      for (let index = 0; index <= until; index++) context[index ? "lineTo" : "moveTo"](...at(panel.x[index], line[index]))
      context.stroke()
    }
    panel.y.forEach((line, index) => {
      context.strokeStyle = context.fillStyle = tones[panel.colours[index] ?? 0]
      context.lineWidth = many ? 0.8 : 1.6
      context.globalAlpha = many ? 0.06 : 0.25
      trace(line, panel.x.length - 1)
      context.globalAlpha = many ? 0.4 : 1
      trace(line, frame)
      context.beginPath()
      context.arc(...at(panel.x[frame], line[frame]), many ? 1.5 : 3.5, 0, 2 * Math.PI)
      context.fill()
    })
    context.globalAlpha = 1
    context.lineWidth = 1
    context.strokeStyle = style("--ink-soft")
    context.beginPath()
    context.moveTo(...at(panel.x[frame], y0))
    context.lineTo(...at(panel.x[frame], y1))
    context.stroke()
    context.textAlign = "right"
    panel.labels.reduceRight((end, words, index) => {
      if (!words) return end
      context.fillStyle = tones[panel.colours[index] ?? 0]
      context.fillText(words, end, 9)
      return end - context.measureText(words).width - 12
    }, right)
  }

  // <solid-view> shows one solid at a time; a button for each chooses it.
  class SolidView extends HTMLElement {
    connectedCallback() {
      if (!this.stage) this.build()
      this.stage.start()
    }

    disconnectedCallback() {
      this.stage.stop()
    }

    build() {
      const { label, solids } = read(this)
      const radius = Math.max(...solids.flatMap(solid => solid.positions.map(point => Math.hypot(...point))))
      this.solids = solids.map(solid => ({ ...solid, radius }))
      this.chosen = 0
      this.stage = new Stage(label, (context, width, height) =>
        paintMarks(context, width, height, this.solids[this.chosen], this.table),
      )
      this.table = new Turntable(this.stage)
      const bar = element("div", "view__bar")
      if (solids.length > 1) bar.append(this.choices())
      bar.append(element("span", "view__hint", "Drag it, or use the arrow keys."), button("Reset", () => this.table.reset()))
      this.append(this.stage.canvas, bar)
      this.choose(0)
    }

    choices() {
      this.buttons = this.solids.map((solid, index) => button(solid.name, () => this.choose(index)))
      const group = element("div", "view__choices", ...this.buttons)
      group.setAttribute("role", "group")
      group.setAttribute("aria-label", "Solid")
      return group
    }

    choose(index) {
      this.chosen = index
      this.buttons?.forEach((each, number) => each.setAttribute("aria-pressed", number === index))
      this.stage.draw()
    }
  }

  // <frames-view> shows one frame of all panels; a slider and buttons move it, and it plays only when told to.
  class FramesView extends HTMLElement {
    connectedCallback() {
      if (!this.stages) this.build()
      this.stages.forEach(stage => stage.start())
    }

    disconnectedCallback() {
      this.pause()
      this.stages.forEach(stage => stage.stop())
    }

    build() {
      const { label, captions, panels } = read(this)
      this.captions = captions
      this.setAttribute("role", "group")
      this.setAttribute("aria-label", label)
      this.stages = panels.map(panel => this.panel(panel))
      const panelsBox = element("div", "view__panels", ...this.stages.map(stage => stage.canvas))
      this.append(panelsBox, this.controls())
      this.show(captions.length - 1)
    }

    panel(panel) {
      if (panel.kind === "curves") {
        return new Stage(panel.label, (context, width, height) => paintCurves(context, width, height, panel, this.frame))
      }
      const { limit: radius, edges, faces, labels, colours } = panel
      const scene = { edges, faces, labels, colours, radius, arrows: panel.shown === "arrows" }
      let table
      const stage = new Stage(panel.label, (context, width, height) =>
        paintMarks(context, width, height, { ...scene, positions: panel.frames[this.frame] }, table),
      )
      if (panel.frames[0][0].length === 3) table = new Turntable(stage)
      return stage
    }

    controls() {
      this.play = button("Play", () => (this.timer ? this.pause() : this.begin()))
      const back = button("‹", () => this.step(-1))
      back.setAttribute("aria-label", "Previous frame")
      const on = button("›", () => this.step(1))
      on.setAttribute("aria-label", "Next frame")
      this.slider = element("input", "view__slider")
      Object.assign(this.slider, { type: "range", min: 0, max: this.captions.length - 1, step: 1 })
      this.slider.setAttribute("aria-label", "Frame")
      this.slider.addEventListener("input", () => {
        this.pause()
        this.show(Number(this.slider.value))
      })
      this.words = element("span", "view__words")
      const turns = this.stages.some(stage => stage.canvas.tabIndex === 0)
      const hint = turns ? [element("span", "view__hint", "Drag the solid, or use the arrow keys on it.")] : []
      return element("div", "view__bar", this.play, back, on, this.slider, this.words, ...hint)
    }

    step(by) {
      this.pause()
      this.show(Math.max(0, Math.min(this.captions.length - 1, this.frame + by)))
    }

    show(frame) {
      this.frame = frame
      this.slider.value = frame
      this.slider.setAttribute("aria-valuetext", this.captions[frame])
      this.words.textContent = this.captions[frame]
      this.stages.forEach(stage => stage.draw())
    }

    begin() {
      if (this.frame === this.captions.length - 1) this.show(0)
      this.play.textContent = "Pause"
      this.timer = setInterval(() => {
        this.show(this.frame + 1)
        if (this.frame === this.captions.length - 1) this.pause()
      }, FRAME_TIME)
    }

    pause() {
      clearInterval(this.timer)
      this.timer = undefined
      if (this.play) this.play.textContent = "Play"
    }
  }

  globalThis.Views = { Stage, Turntable, paintMarks, style, palette, element } // for live-view.js
  customElements.define("solid-view", SolidView)
  customElements.define("frames-view", FramesView)
}
