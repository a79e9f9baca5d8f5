// One run of the live toy model: trains, and says now and then how far it is. The page uses `liveRun` itself where a
// worker cannot be had (a page opened from disk); in a worker this file answers one message, {settings, recipe}.
{
  const MEETINGS = 1024 // so many of the samples on which models are compared have two features or more, if it takes
  const COMMON = [2048, 32768] // no fewer and no more samples than these
  const EXACT_CURVE = 7 // up to so many features, losses along the way are exact
  const EXACT_ALL = 6 // up to so many, the final losses of all models are exact
  const STOPS = 24

  const inWorker = typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope
  if (inWorker) importScripts("live-model.js", "live-shapes.js")

  // Returns the steps at which a run says how far it is: half of them evenly spaced, half evenly in the logarithm.
  function stops(steps) {
    const found = new Set([0, steps])
    for (let k = 1; k < STOPS; k++) {
      found.add(Math.round((steps * k) / STOPS))
      found.add(Math.round(steps ** (k / STOPS)))
    }
    return [...found].sort((one, two) => one - two)
  }

  // Trains and yields after each stop {step, steps, done, W, b, best, median, losses}: copies of all weights, the loss of
  // the best model and of the one in the middle, and with `done` the loss of every model. Losses are over that of a
  // model that represents nothing. `exact` says whether they are computed exactly; where not, `factor` is by how much the
  // common samples missed the exact loss of the best model at the end.
  function* liveRun(settings, recipe) {
    const state = LiveModel.begin(settings, recipe)
    const judge = judgeOf(settings)
    for (const stop of stops(recipe.steps)) {
      while (state.step < stop) {
        LiveModel.advance(state, Math.min(stop - state.step, Math.ceil(recipe.steps / 200)))
        if (state.step < stop) yield null // time to hear of a stop
      }
      const done = stop === recipe.steps
      yield { step: stop, steps: recipe.steps, done, W: state.W.slice(), b: state.b.slice(), ...judge(state, done) }
    }
  }

  // Returns a function that judges all models on common samples and the ones it names exactly, where that is quick.
  function judgeOf(settings) {
    const { n, seeds, seed } = settings
    const relu = settings.output === "relu"
    const chances = LiveModel.setChances(settings)
    const importance = LiveModel.importances(settings)
    const unit = LiveModel.absentLoss(settings)
    const random = LiveModel.generator(seed, 0x5eed)
    const meeting = chances.reduce((sum, chance, members) => (members & (members - 1) ? sum + chance : sum), 0)
    const count = Math.round(Math.min(COMMON[1], Math.max(COMMON[0], MEETINGS / meeting)))
    const common = LiveModel.drawSamples(LiveModel.emptySamples(count, n), LiveModel.aliasTable(chances), random)
    const model = (state, k) => [state.W.subarray(3 * n * k, 3 * n * (k + 1)), state.b.subarray(n * k, n * (k + 1))]
    const exact = (state, k) => LiveShapes.exactLoss(...model(state, k), importance, relu, chances) / unit
    return (state, done) => {
      const sampled = Array.from({ length: seeds }, (_, k) =>
        LiveModel.sampledLoss(...model(state, k), importance, relu, common) / unit) // prettier-ignore
      const order = sampled.map((_, k) => k).sort((one, two) => sampled[one] - sampled[two])
      const [first, middle] = [order[0], order[seeds >> 1]]
      if (done && n <= EXACT_ALL) {
        const losses = sampled.map((_, k) => exact(state, k))
        const sorted = [...losses].sort((one, two) => one - two)
        return { best: sorted[0], median: sorted[seeds >> 1], losses, exact: true }
      }
      if (n <= EXACT_CURVE) return { best: exact(state, first), median: exact(state, middle), losses: sampled, exact: true }
      if (!done) return { best: sampled[first], median: sampled[middle], losses: sampled, exact: false }
      // All losses move together so that the best run has its exact one.
      const factor = exact(state, first) / sampled[first]
      const losses = sampled.map(loss => loss * factor)
      return { best: losses[first], median: losses[middle], losses, exact: false, factor }
    }
  }

  if (inWorker) {
    self.onmessage = ({ data: { settings, recipe } }) => {
      for (const frame of liveRun(settings, recipe)) if (frame) self.postMessage(frame)
    }
  }

  globalThis.liveRun = liveRun
  globalThis.liveStops = stops
}
