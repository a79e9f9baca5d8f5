// What the report has published about a setting of the live toy model: the census of many seeds, and the exact optimum.
// `told` is the JSON that site_builder/pages/live.py makes from docs/live.toml and the data of published figures.
{
  const VERTICES = { "two directions": 2, triangle: 3, "digon + one": 3, "two digons": 4, pentagon: 5, hexagon: 6 }
  const ODD_BASELINE = 0.05 // density of the published branches of the deformed pentagon
  const NAMES = { "no named shape": "other", "another named shape": "another shape", "other named shape": "another shape" }
  const FIXED = ["n", "d", "p", "decay", "ratio", "coupling", "output", "recipe"]
  const PLAIN = { p: 0.1, decay: 1, ratio: 1, coupling: "none", output: "relu", seeds: 64, seed: 1 }

  const near = (one, two) => one === two || Math.abs(one - two) <= 1e-6 * Math.abs(two)

  // Returns a preset's settings in full.
  const presetSettings = preset => ({ ...PLAIN, ...preset.settings })

  // Returns the preset that these settings are, but for the one that varies along its published census, or undefined.
  function presetOf(told, settings, counts) {
    return told.presets.find(preset => {
      const own = presetSettings(preset)
      return preset.counts === counts && FIXED.every(name => name === preset.along || near(settings[name], own[name]))
    })
  }

  // Returns the published census at these settings, or null: {figure, number, page, total, shares: Map of kind}.
  function publishedCensus(told, settings, counts) {
    const preset = presetOf(told, settings, counts)
    const panel = preset && told.panels[preset.panel]
    if (!panel) return null
    const found = panel.series.map(({ label, x, y }) => {
      const at = x.findIndex(value => near(value, settings[preset.along]))
      return [NAMES[label] ?? label, at < 0 ? null : y[at]]
    })
    if (found.every(([, value]) => value === null)) return null
    const counted = panel.series.some(({ y }) => y.some(value => value > 1))
    const sum = found.reduce((total, [, value]) => total + (value ?? 0), 0)
    const shares = new Map(found.map(([kind, value]) => [kind, counted ? (value ?? 0) / sum : (value ?? 0)]))
    if (counts === "two directions") shares.set("better than two directions", 1 - sum)
    return { ...panel, total: counted ? sum : panel.seeds, shares }
  }

  // Returns y at x between given points, linear in the logarithm of x; null outside of them.
  function between(series, x) {
    const points = series.x.map((value, k) => [value, series.y[k]]).filter(([, y]) => y !== null)
    points.sort((one, two) => one[0] - two[0])
    const next = points.findIndex(([value]) => value >= x || near(value, x))
    if (next < 0) return null
    if (near(points[next][0], x)) return points[next][1]
    if (next === 0) return null
    const [[x0, y0], [x1, y1]] = [points[next - 1], points[next]]
    return y0 + ((y1 - y0) * Math.log(x / x0)) / Math.log(x1 / x0)
  }

  // Returns the least loss that the report knows at these settings, over that of a model that represents nothing:
  // {loss, name}; null where it has computed none.
  function optimum(told, settings) {
    const { output, d, coupling, decay, ratio, n, p } = settings
    if (output === "linear") {
      const loss = LiveShapes.linearOptimum(settings)
      return loss === null ? null : { loss: loss / LiveModel.absentLoss(settings), name: "closed form" }
    }
    if (d !== 2 || coupling !== "none" || decay !== 1) return null
    if (ratio === 1) return bestArrangement(told, n, p)
    const branches = n === 5 && near(p, ODD_BASELINE) && told.panels.branches
    const losses = branches ? branches.series.map(line => between(line, ratio)).filter(loss => loss !== null) : []
    if (!losses.length) return null
    const least = (Math.min(...losses) * ODD_BASELINE) / LiveModel.absentLoss(settings)
    return { loss: least, name: "better of both exact branches" }
  }

  // Independent features, equally dense and important, in the plane. What an arrangement keeps, in features' worth of
  // variance, does not depend on how many features are left out, so losses of five features give those of n. The
  // hexagon is published as what it keeps beyond two digons.
  function bestArrangement(told, n, p) {
    const lines = told.panels.arrangements?.series ?? []
    const kept = new Map(lines.map(line => [line.label, between(line, p)]))
    for (const [name, loss] of kept) kept.set(name, loss === null ? null : 5 * (1 - loss))
    if (n >= 6) {
      const beyond = told.panels.beyond ? between(told.panels.beyond.series[0], p) : null
      const known = p > 0.3 || (beyond !== null && kept.get("two digons") !== null) // of common features, none is best
      if (!known) return null
      if (beyond !== null) kept.set("hexagon", kept.get("two digons") + beyond)
    }
    const able = [...kept].filter(([name, value]) => value !== null && VERTICES[name] <= n)
    if (!able.length) return null
    const [name, most] = able.reduce((best, each) => (each[1] > best[1] ? each : best))
    return { loss: Math.max(0, 1 - most / n), name }
  }

  // Returns the loss of two directions at right angles, the other features absent, over that of a model that represents
  // nothing: the share of features absent. Null where features differ or are coupled.
  function twoDirections({ n, d, ratio, decay, coupling, output }) {
    const alike = ratio === 1 && decay === 1 && coupling === "none"
    return d >= 2 && alike && output === "relu" ? 1 - 2 / n : null
  }

  globalThis.LivePublished = { PLAIN, presetSettings, presetOf, publishedCensus, between, optimum, twoDirections }
}
