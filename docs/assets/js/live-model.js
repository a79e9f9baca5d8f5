// The toy model in the browser: what is trained, how it trains, and its loss. Pure functions on plain numbers; no page
// is touched, so that a worker, a page and a test can all load this file. live-shapes.js names the shapes.
//
// Names follow the report's Python (experiments/core): n features x_i, each 0 or U[0, 1]; d hidden dimensions;
// y = ReLU(W^T W x + b), or without the ReLU; the loss is the mean over features of importance_i * (x_i - y_i)^2.
// Column i of W, the direction of feature i, stands in W[3 i], W[3 i + 1], W[3 i + 2], with zeros beyond dimension d:
// three numbers in any case, so that the inner loops have no loop over dimensions.
{
  const COUPLINGS = ["none", "together", "apart"]
  const OUTPUTS = ["relu", "linear"]
  const LIMITS = { n: [2, 10], d: [1, 3], p: [0.001, 1], decay: [0.1, 1], ratio: [0.05, 4], seeds: [1, 64], seed: [0, 999999] }
  const WHOLE = ["n", "d", "seeds", "seed"]

  // Returns settings that can be trained: every number within its limits, and the choices among those there are.
  // `p` density; `decay` importance of feature k over that of k - 1; `ratio` density of the first feature over that of
  // the others; `coupling` of the pairs (0, 1), (2, 3), ...; `recipe` as in RECIPES of live.toml. `ratio` is 1 where
  // features are coupled, since partners share a density, and features that exclude each other have p up to 1/2.
  function settled(wanted) {
    const { coupling, output, recipe } = wanted
    const found = { coupling, output, recipe }
    for (const [name, [low, high]] of Object.entries(LIMITS)) {
      const value = Math.min(high, Math.max(low, Number(wanted[name]) || 0))
      found[name] = WHOLE.includes(name) ? Math.round(value) : value
    }
    if (!COUPLINGS.includes(found.coupling)) found.coupling = "none"
    if (!OUTPUTS.includes(found.output)) found.output = "relu"
    if (found.coupling !== "none") found.ratio = 1
    if (found.coupling === "apart") found.p = Math.min(found.p, 0.5)
    found.ratio = Math.min(found.ratio, 1 / found.p)
    found.d = Math.min(found.d, found.n)
    return found
  }

  const densities = ({ n, p, ratio }) => Float64Array.from({ length: n }, (_, i) => (i ? p : p * ratio))
  const importances = ({ n, decay }) => Float64Array.from({ length: n }, (_, i) => decay ** i)
  const pairs = ({ n, coupling }) =>
    coupling === "none" ? [] : Array.from({ length: n >> 1 }, (_, k) => [2 * k, 2 * k + 1])

  // Returns the variance of what the features carry, weighted by importance, mean over features: the loss of a model
  // that represents nothing. Each feature has E x^2 = p / 3 and E x = p / 2.
  function absentLoss(settings) {
    const importance = importances(settings)
    return densities(settings).reduce((sum, p, i) => sum + importance[i] * (p / 3 - (p * p) / 4), 0) / settings.n
  }

  // Returns the probability of every set of present features, 2^n numbers; bit i says whether feature i is present.
  // Partners that come together are present or absent as one; of those that exclude each other at most one is present,
  // and each keeps its density.
  function setChances(settings) {
    const { n, p, coupling } = settings
    const density = densities(settings)
    const joint = coupling === "together" ? [1 - p, 0, 0, p] : [1 - 2 * p, p, p, 0]
    const coupled = pairs(settings)
    return Float64Array.from({ length: 1 << n }, (_, members) => {
      let chance = 1
      for (const [i] of coupled) chance *= joint[(members >> i) & 3]
      for (let i = 2 * coupled.length; i < n; i++) chance *= (members >> i) & 1 ? density[i] : 1 - density[i]
      return chance
    })
  }

  // Returns a source of uniform numbers in [0, 1): xoshiro128**, its state filled from the seeds by splitmix32.
  function generator(...seeds) {
    let mix = seeds.reduce((state, seed) => Math.imul(state ^ seed, 0x9e3779b1) ^ (state >>> 15), 0x243f6a88)
    const next = () => {
      mix = (mix + 0x9e3779b9) | 0
      let z = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      return z ^ (z >>> 16)
    }
    const state = Int32Array.of(next(), next(), next(), next())
    return () => {
      const a = state[0]
      const b = state[1]
      const found = Math.imul(b, 5)
      const c = state[2] ^ a
      const e = state[3] ^ b
      state[0] = a ^ e
      state[1] = b ^ c
      state[2] = c ^ (b << 9)
      state[3] = (e << 11) | (e >>> 21)
      return (Math.imul((found << 7) | (found >>> 25), 9) >>> 0) / 4294967296
    }
  }

  // Returns a standard normal number (Box and Muller).
  const normal = random => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

  // Returns a table that draws an index with the given chances from one uniform number (Walker's alias method).
  function aliasTable(chances) {
    const count = chances.length
    const share = Float64Array.from(chances, chance => chance * count)
    const other = Uint16Array.from({ length: count }, (_, k) => k)
    const [small, large] = [[], []]
    share.forEach((value, k) => (value < 1 ? small : large).push(k))
    while (small.length && large.length) {
      const [poor, rich] = [small.pop(), large.at(-1)]
      other[poor] = rich
      share[rich] -= 1 - share[poor]
      if (share[rich] < 1) small.push(large.pop())
    }
    for (const k of [...small, ...large]) share[k] = 1 // what rounding left over
    return { share, other }
  }

  // Room for `count` samples: the present features of sample s are index[e] with value[e], start[s] <= e < start[s + 1].
  const emptySamples = (count, n) => ({
    start: new Int32Array(count + 1),
    index: new Uint8Array(count * n),
    value: new Float64Array(count * n),
  })

  // Fills `samples` with fresh ones.
  function drawSamples(samples, table, random) {
    const { start, index, value } = samples
    const { share, other } = table
    const sets = share.length
    let entries = 0
    for (let s = 0; s < start.length - 1; s++) {
      const at = random() * sets
      let members = at | 0
      if (at - members >= share[members]) members = other[members]
      for (let i = 0; members; i++, members >>= 1) {
        if (members & 1) {
          index[entries] = i
          value[entries++] = random()
        }
      }
      start[s + 1] = entries
    }
    return samples
  }

  // Returns samples from rows of feature values, for tests.
  function samplesOf(rows) {
    const samples = emptySamples(rows.length, rows[0].length)
    let entries = 0
    rows.forEach((row, s) => {
      row.forEach((x, i) => {
        if (x === 0) return
        samples.index[entries] = i
        samples.value[entries++] = x
      })
      samples.start[s + 1] = entries
    })
    return samples
  }

  // Adds to `gradW` and `gradB` the gradient of sum over samples and features of (weight_i / 2) (x_i - y_i)^2, over the
  // samples order[first] ... order[last - 1] (or first ... last - 1 without an order). `x` is room for n numbers, all 0.
  //
  // With h = W x, z = W^T h + b and e_i = weight_i (y_i - x_i), set to 0 where the ReLU is closed, the gradient of column
  // i is h e_i (as a reader) + x_i sum_j W_j e_j (as a writer). Where no feature is present h is 0 and only b counts.
  function addGradient(W, b, weight, relu, samples, order, first, last, x, gradW, gradB) {
    const { start, index, value } = samples
    const n = b.length
    let empty = 0
    for (let place = first; place < last; place++) {
      const s = order ? order[place] : place
      const from = start[s]
      const to = start[s + 1]
      if (from === to) {
        empty++
        continue
      }
      let h0 = 0, h1 = 0, h2 = 0
      for (let entry = from; entry < to; entry++) {
        const v = value[entry]
        const at = 3 * index[entry]
        x[index[entry]] = v
        h0 += W[at] * v
        h1 += W[at + 1] * v
        h2 += W[at + 2] * v
      }
      let u0 = 0, u1 = 0, u2 = 0
      for (let i = 0, at = 0; i < n; i++, at += 3) {
        const z = b[i] + W[at] * h0 + W[at + 1] * h1 + W[at + 2] * h2
        if (relu && z <= 0) continue
        const error = weight[i] * (z - x[i])
        gradB[i] += error
        gradW[at] += h0 * error
        gradW[at + 1] += h1 * error
        gradW[at + 2] += h2 * error
        u0 += W[at] * error
        u1 += W[at + 1] * error
        u2 += W[at + 2] * error
      }
      for (let entry = from; entry < to; entry++) {
        const v = value[entry]
        const at = 3 * index[entry]
        x[index[entry]] = 0
        gradW[at] += u0 * v
        gradW[at + 1] += u1 * v
        gradW[at + 2] += u2 * v
      }
    }
    for (let i = 0; i < n; i++) if (!relu || b[i] > 0) gradB[i] += empty * weight[i] * b[i]
  }

  // Returns the mean over samples and features of importance_i (x_i - y_i)^2.
  function sampledLoss(W, b, importance, relu, samples) {
    const { start, index, value } = samples
    const [n, count] = [b.length, start.length - 1]
    const x = new Float64Array(n)
    const rest = importance.reduce((sum, value, i) => sum + value * (relu && b[i] < 0 ? 0 : b[i]) ** 2, 0)
    let total = 0
    for (let s = 0; s < count; s++) {
      if (start[s] === start[s + 1]) {
        total += rest
        continue
      }
      let h0 = 0, h1 = 0, h2 = 0
      for (let entry = start[s]; entry < start[s + 1]; entry++) {
        const v = value[entry]
        const at = 3 * index[entry]
        x[index[entry]] = v
        h0 += W[at] * v
        h1 += W[at + 1] * v
        h2 += W[at + 2] * v
      }
      for (let i = 0, at = 0; i < n; i++, at += 3) {
        const z = b[i] + W[at] * h0 + W[at + 1] * h1 + W[at + 2] * h2
        const error = (relu && z < 0 ? 0 : z) - x[i]
        total += importance[i] * error * error
      }
      for (let entry = start[s]; entry < start[s + 1]; entry++) x[index[entry]] = 0
    }
    return total / (count * n)
  }

  // Returns loss and gradient of one model on rows of feature values, {loss, gradW, gradB}, for tests.
  function gradient(W, b, importance, relu, rows) {
    const samples = samplesOf(rows)
    const [n, count] = [b.length, rows.length]
    const weight = Float64Array.from(importance, value => (2 * value) / (n * count))
    const [gradW, gradB] = [new Float64Array(3 * n), new Float64Array(n)]
    addGradient(W, b, weight, relu, samples, null, 0, count, new Float64Array(n), gradW, gradB)
    return { loss: sampledLoss(W, b, importance, relu, samples), gradW, gradB }
  }

  // Returns untrained models, `settings.seeds` of them, with all that their training keeps: weights W (seed, feature,
  // 3) and b (seed, feature) in one array each, the moments of Adam, and each seed's own source of random numbers.
  // `recipe`: {steps, batch, rate, schedule, start, bias, samples} as in live.toml; `bias` is the start of all biases
  // over the density of the first feature; `samples` is the size of a fixed data set per seed, 0 for fresh samples.
  function begin(settings, recipe) {
    const { n, d, seeds } = settings
    const scale = recipe.start === "normal" ? 1 : Math.sqrt(2 / (n + d))
    const table = aliasTable(setChances(settings))
    const randoms = Array.from({ length: seeds }, (_, k) => generator(settings.seed, k))
    const W = new Float64Array(3 * n * seeds)
    randoms.forEach((random, k) => {
      for (let j = 0; j < d; j++) for (let i = 0; i < n; i++) W[3 * (k * n + i) + j] = scale * normal(random)
    })
    const own = recipe.samples
      ? randoms.map(random => drawSamples(emptySamples(recipe.samples, n), table, random))
      : null
    return {
      settings, recipe, table, randoms, W, own, step: 0,
      b: new Float64Array(n * seeds).fill(recipe.bias * densities(settings)[0]),
      orders: own?.map(() => Int32Array.from({ length: recipe.samples }, (_, k) => k)),
      fresh: emptySamples(recipe.batch, n),
      moments: [new Float64Array(4 * n * seeds), new Float64Array(4 * n * seeds)],
    }
  }

  function shuffle(order, random) {
    for (let last = order.length - 1; last > 0; last--) {
      const other = (random() * (last + 1)) | 0
      const kept = order[last]
      order[last] = order[other]
      order[other] = kept
    }
  }

  // Trains every model for some steps more: Adam without weight decay, its rate constant or falling to 0 along a
  // cosine. A fixed data set is visited in shuffled epochs, whose last batch may be smaller than the others.
  function advance(state, steps) {
    const last = Math.min(state.step + steps, state.recipe.steps)
    for (let seed = 0; seed < state.settings.seeds; seed++) trainOne(state, seed, state.step, last)
    state.step = last
    return last === state.recipe.steps
  }

  function trainOne(state, seed, firstStep, lastStep) {
    const { settings, recipe, table, fresh } = state
    const { n } = settings
    const [random, samples, order] = [state.randoms[seed], state.own?.[seed] ?? fresh, state.orders?.[seed] ?? null]
    const W = state.W.subarray(3 * n * seed, 3 * n * (seed + 1))
    const b = state.b.subarray(n * seed, n * (seed + 1))
    const [first, second] = state.moments.map(moment => moment.subarray(4 * n * seed, 4 * n * (seed + 1)))
    const [gradW, gradB, x] = [new Float64Array(3 * n), new Float64Array(n), new Float64Array(n)]
    const [importance, weight, relu] = [importances(settings), new Float64Array(n), settings.output === "relu"]
    const perEpoch = recipe.samples ? Math.ceil(recipe.samples / recipe.batch) : Infinity
    for (let step = firstStep; step < lastStep; step++) {
      let from = 0
      let to = recipe.batch
      if (order) {
        if (step % perEpoch === 0) shuffle(order, random)
        from = (step % perEpoch) * recipe.batch
        to = Math.min(from + recipe.batch, recipe.samples)
      } else drawSamples(fresh, table, random)
      for (let i = 0; i < n; i++) weight[i] = (2 * importance[i]) / (n * (to - from))
      gradW.fill(0)
      gradB.fill(0)
      addGradient(W, b, weight, relu, samples, order, from, to, x, gradW, gradB)
      const falling = recipe.schedule === "cosine" ? 0.5 * (1 + Math.cos((Math.PI * step) / recipe.steps)) : 1
      const rate = (recipe.rate * falling) / (1 - 0.9 ** (step + 1))
      const correction = 1 / (1 - 0.999 ** (step + 1))
      adam(W, gradW, first, second, 0, rate, correction)
      adam(b, gradB, first, second, 3 * n, rate, correction)
    }
  }

  function adam(values, slopes, first, second, offset, rate, correction) {
    for (let k = 0; k < values.length; k++) {
      const slope = slopes[k]
      const mean = (first[offset + k] = 0.9 * first[offset + k] + 0.1 * slope)
      const square = (second[offset + k] = 0.999 * second[offset + k] + 0.001 * slope * slope)
      values[k] -= (rate * mean) / (Math.sqrt(square * correction) + 1e-8)
    }
  }

  globalThis.LiveModel = {
    LIMITS, COUPLINGS, OUTPUTS, settled, densities, importances, pairs, absentLoss, setChances, generator, normal,
    aliasTable, emptySamples, drawSamples, samplesOf, sampledLoss, gradient, begin, advance,
  }
}
