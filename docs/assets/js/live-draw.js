// Pictures of the live toy model on canvases: all seeds at once, the matrix W^T W, the loss while training. One model's
// arrows are drawn by views.js, as in the figures that a reader moves.
{
  const { style, palette } = Views
  const SERIES = {
    digon: 0, "two digons": 0, octahedron: 0, "two digons + one": 0, triangle: 1, pentagon: 2, "pentagonal bipyramid": 2,
    "two directions": 3, "tricapped trigonal prism": 3, "triangular bipyramid": 3, hexagon: 4, "square antiprism": 4,
    "digon + one": 5, tetrahedron: 5, "odd feature kept": 2, "odd feature left out": 0, "partners as expected": 0,
    "partners orthogonal instead": 3, "six directions, partners elsewhere": 2, "partners merged": 1,
    "worse than two directions": 1, "better than two directions": 0,
  } // prettier-ignore

  // Returns the number of a kind's colour among the series colours, or -1 for the soft ink of what has no name.
  const colourOf = kind => SERIES[kind] ?? -1
  const toneOf = kind => (colourOf(kind) < 0 ? style("--ink-soft") : palette()[colourOf(kind)])

  // Returns how many columns make the square cells for `count` of them largest in a rectangle, and their side.
  function cells(count, width, height) {
    let best = { columns: 1, side: 0 }
    for (let columns = 1; columns <= count; columns++) {
      const side = Math.min(width / columns, height / Math.ceil(count / columns))
      if (side > best.side + 1e-9) best = { columns, side }
    }
    return best
  }

  // Draws every model small; `models` [{columns, kind}], `seen` turns a point of space as the reader has turned it.
  function paintSeeds(context, width, height, { models, chosen, reach, seen }) {
    const { columns, side } = cells(models.length, width, height)
    const tones = new Map()
    models.forEach(({ columns: arrows, kind }, k) => {
      if (!tones.has(kind)) tones.set(kind, toneOf(kind))
      const [x, y] = [((k % columns) + 0.5) * side, (Math.floor(k / columns) + 0.5) * side]
      context.strokeStyle = tones.get(kind)
      context.lineWidth = Math.max(1.2, side / 28)
      context.beginPath()
      for (const arrow of arrows) {
        const [u, v] = seen(arrow)
        context.moveTo(x, y)
        context.lineTo(x + (0.44 * side * u) / reach, y - (0.44 * side * v) / reach)
      }
      context.stroke()
      if (k !== chosen) return
      context.strokeStyle = style("--ink")
      context.lineWidth = 1.5
      context.strokeRect(x - side / 2 + 1, y - side / 2 + 1, side - 2, side - 2)
    })
  }

  // Draws W^T W: positive entries in the first series colour, negative ones in the second, values where they fit.
  function paintGram(context, width, height, gram) {
    const n = gram.length
    const side = Math.min(width, height) / n
    const [left, top] = [(width - n * side) / 2, (height - n * side) / 2]
    const [positive, negative] = palette()
    const largest = Math.max(1, ...gram.flat().map(Math.abs))
    context.font = `${Math.min(12, side / 3.2)}px ${style("--sans")}`
    context.textAlign = "center"
    context.textBaseline = "middle"
    gram.forEach((row, i) =>
      row.forEach((value, j) => {
        const [x, y] = [left + j * side, top + i * side]
        context.globalAlpha = Math.min(1, Math.abs(value) / largest) * 0.75
        context.fillStyle = value < 0 ? negative : positive
        context.fillRect(x, y, side, side)
        context.globalAlpha = 1
        context.strokeStyle = style("--rule")
        context.lineWidth = 1
        context.strokeRect(x, y, side, side)
        if (side < 30) return
        context.fillStyle = style("--ink")
        const words = value.toFixed(2).replace("-", "−").replace("−0.00", "0.00")
        context.fillText(words, x + side / 2, y + side / 2)
      }),
    )
  }

  // Draws the loss over steps, both on logarithmic axes: `frames` [{step, best, median}], and `optimum` as a dashed line.
  function paintLoss(context, width, height, { frames, optimum, steps }) {
    const [left, right, top, bottom] = [44, width - 10, 24, height - 34]
    const losses = frames.flatMap(({ best, median }) => [best, median]).filter(loss => loss > 0)
    const known = optimum > 1e-6 ? [optimum] : []
    const [low, high] = [Math.min(0.5, ...losses, ...known) / 1.1, Math.max(1, ...losses) * 1.1]
    const x = step => left + (Math.log(1 + step) / Math.log(1 + steps)) * (right - left)
    const y = loss => bottom - (Math.log(Math.max(loss, low) / low) / Math.log(high / low)) * (bottom - top)
    const soft = style("--ink-soft")
    context.strokeStyle = context.fillStyle = soft
    context.strokeRect(left, bottom, right - left, 0)
    context.strokeRect(left, top, 0, bottom - top)
    context.textAlign = "center"
    context.textBaseline = "top"
    for (let step = 10; step <= steps; step *= 10) context.fillText(step.toLocaleString("en"), x(step), bottom + 4)
    context.fillText("steps", (left + right) / 2, bottom + 18)
    context.textAlign = "right"
    context.textBaseline = "middle"
    const ticks = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001]
    for (const loss of ticks) if (loss >= low && loss <= high) context.fillText(String(loss), left - 5, y(loss))
    const tones = palette()
    const line = (points, tone, thick, dashes = []) => {
      context.strokeStyle = tone
      context.lineWidth = thick
      context.setLineDash(dashes)
      context.beginPath()
      points.forEach(([step, loss], k) => context[k ? "lineTo" : "moveTo"](x(step), y(loss)))
      context.stroke()
      context.setLineDash([])
    }
    if (known.length) line([[0, optimum], [steps, optimum]], style("--ink"), 1.2, [5, 3]) // prettier-ignore
    line(frames.map(({ step, median }) => [step, median]), tones[1], 1.6) // prettier-ignore
    line(frames.map(({ step, best }) => [step, best]), tones[0], 2) // prettier-ignore
    context.textBaseline = "middle"
    const key = [["best", tones[0]], ["median", tones[1]], ...(known.length ? [["exact optimum", style("--ink")]] : [])] // prettier-ignore
    let end = right
    for (const [words, tone] of key.reverse()) {
      context.fillStyle = tone
      context.fillText(words, end, 10)
      end -= context.measureText(words).width + 12
    }
  }

  globalThis.LiveDraw = { SERIES, colourOf, toneOf, cells, paintSeeds, paintGram, paintLoss }
}
