// What became of toy models: their exact expected loss, the shape that their columns form, and a census of many.
// Pure functions; the definitions are those of the report's Python, and tests compare the two on common weights:
// experiments/core/losses/exact.py, experiments/core/geometry/recognition.py and polyhedra.py, and
// experiments/correlation/shared/coupled_census.py. Weights lie as live-model.js says.
{
  const REPRESENTED = 0.5 // a feature is represented if its column is longer
  const TOLERANCE = 8 // degrees by which an angle may miss that of a shape
  const OTHER = "other"
  const ORTHOGONAL = 0.1 // cosines of partners: between -0.1 and 0.1,
  const OPPOSITE = -0.95 // below this,
  const HEXAGON = [0.3, 0.6] // between these,
  const MERGED = 0.98 // above this
  const LEFT_OUT = 1e-9 // probability of sets with so many features that they are left out of an exact loss

  // ---- The exact loss ----------------------------------------------------------------------------------------------

  // Returns the expected loss of one model, the mean over features of importance_i E (x_i - y_i)^2, without sampling:
  // a sum over the sets of present features of integrals over the cube that each spans. `chances` (2^n) as setChances.
  //
  // A face of the cube of all features fixes some coordinates at 0 or 1 and leaves others free; in base 3, digit j is
  // 0, 1, or 2 for free. Three averages are kept per face, of z_+, x_i z_+ and z_+^2. Where z = b + g x has one sign
  // they are moments of independent uniforms; where the plane z = 0 cuts the face in a point c, the divergence theorem
  // for (x - c) z_+^m gives them from the faces of the face, which have lower numbers.
  function exactLoss(W, b, importance, relu, chances) {
    const n = b.length
    const most = largestSet(chances)
    const faces = 3 ** n
    const tables = [new Float64Array(faces), new Float64Array(faces), new Float64Array(faces)]
    const g = new Float64Array(n)
    let loss = 0
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) g[j] = W[3 * i] * W[3 * j] + W[3 * i + 1] * W[3 * j + 1] + W[3 * i + 2] * W[3 * j + 2]
      fillFaces(g, b[i], i, most, relu, tables)
      loss += importance[i] * sumOverSets(i, n, most, chances, tables)
    }
    return Math.max(0, loss / n) // rounding may leave less than nothing of a loss that is 0
  }

  const sizeOf = members => {
    let size = 0
    for (let rest = members; rest; rest &= rest - 1) size++
    return size
  }

  // Returns the least size such that larger sets together are no more probable than LEFT_OUT.
  function largestSet(chances) {
    const mass = new Float64Array(Math.log2(chances.length) + 1)
    chances.forEach((chance, members) => (mass[sizeOf(members)] += chance))
    let [most, rest] = [mass.length - 1, 0]
    while (most > 1 && rest + mass[most] <= LEFT_OUT) rest += mass[most--]
    return most
  }

  function sumOverSets(i, n, most, chances, [, crossed, squared]) {
    let total = 0
    for (let members = 0; members < chances.length; members++) {
      if (chances[members] === 0 || sizeOf(members) > most) continue
      let face = 0
      for (let j = 0, power = 1; j < n; j++, power *= 3) if ((members >> j) & 1) face += 2 * power
      const square = (members >> i) & 1 ? 1 / 3 : 0
      total += chances[members] * (square - 2 * crossed[face] + squared[face])
    }
    return total
  }

  function fillFaces(g, b, i, most, relu, tables) {
    const n = g.length
    const digits = new Uint8Array(n)
    const [plain, crossed, squared] = tables
    for (let face = 0; face < plain.length; face++) {
      let free = 0, nonzero = 0, low = b, high = b // prettier-ignore
      for (let j = 0; j < n; j++) {
        if (digits[j] === 1) {
          low += g[j]
          high += g[j]
        } else if (digits[j] === 2) {
          if (g[j] < 0) low += g[j]
          else high += g[j]
          free++
        }
        if (digits[j]) nonzero++
      }
      if (nonzero <= most) {
        if (!relu || low >= 0) moments(g, b, i, digits, face, tables)
        else if (high <= 0 || free === 0) plain[face] = crossed[face] = squared[face] = 0
        else fromFaces(g, -low / (high - low), i, digits, free, face, tables)
      }
      for (let j = 0; j < n && ++digits[j] === 3; j++) digits[j] = 0 // count up in base 3
    }
  }

  // Where z is nowhere negative: moments of independent coordinates, each fixed or U[0, 1].
  function moments(g, b, i, digits, face, [plain, crossed, squared]) {
    let mean = b
    let variance = 0
    for (let j = 0; j < g.length; j++) {
      mean += g[j] * (digits[j] === 2 ? 0.5 : digits[j])
      if (digits[j] === 2) variance += (g[j] * g[j]) / 12
    }
    plain[face] = mean
    crossed[face] = digits[i] === 2 ? 0.5 * mean + g[i] / 12 : digits[i] * mean
    squared[face] = mean * mean + variance
  }

  // `share` is how far z passes 0 on the way from the lowest corner of the face to the highest: there lies c.
  function fromFaces(g, share, i, digits, free, face, [plain, crossed, squared]) {
    let a = 0, x = 0, s = 0, own = digits[i] // prettier-ignore
    for (let j = 0, power = 1; j < g.length; j++, power *= 3) {
      if (digits[j] < 2) continue
      const c = g[j] > 0 ? share : 1 - share
      const one = face - power
      const zero = one - power
      if (j === i) own = c
      a += (1 - c) * plain[one] + c * plain[zero]
      x += (1 - c) * crossed[one] + c * crossed[zero]
      s += (1 - c) * squared[one] + c * squared[zero]
    }
    plain[face] = a / (free + 1)
    crossed[face] = (x + own * plain[face]) / (free + 2)
    squared[face] = s / (free + 2)
  }

  // Returns the least loss of a linear model in closed form, or null where this file knows none. Errors of a linear
  // model with the best bias depend on the covariance alone: the d directions of largest weighted variance are kept.
  function linearOptimum(settings) {
    const { n, d, decay, coupling, p } = settings
    if (coupling !== "none" && decay < 1) return null
    const importance = LiveModel.importances(settings)
    const own = LiveModel.densities(settings).map((q, i) => importance[i] * (q / 3 - (q * q) / 4))
    const shared = coupling === "together" ? p / 4 - (p * p) / 4 : (-p * p) / 4
    LiveModel.pairs(settings).forEach(([i, j]) => ([own[i], own[j]] = [own[i] + shared, own[j] - shared]))
    return own.sort().slice(0, n - d).reduce((sum, value) => sum + value, 0) / n // prettier-ignore
  }

  // ---- Shapes ------------------------------------------------------------------------------------------------------

  // Each shape as rings [degrees from the axis, how many, degrees around], around one axis; in the plane at 90°.
  const at = (count, turn = 0) => [90, count, turn]
  const [NORTH, SOUTH, POLES] = [[0, 1, 0], [180, 1, 0], [[0, 1, 0], [180, 1, 0]]] // prettier-ignore
  const SHAPES = {
    1: { "one direction": [NORTH], digon: POLES },
    2: {
      "two directions": [at(1), at(1, 90)],
      triangle: [at(3)],
      "digon + one": [at(2), at(1, 90)],
      "two digons": [at(4)],
      pentagon: [at(5)],
      hexagon: [at(6)],
      heptagon: [at(7)],
    },
    3: {
      "three directions": [NORTH, at(1), at(1, 90)],
      tetrahedron: [NORTH, [(Math.acos(-1 / 3) * 180) / Math.PI, 3, 0]],
      "digon + two": [...POLES, at(1), at(1, 90)],
      "square pyramid": [NORTH, [114, 4, 0]],
      "triangular bipyramid": [...POLES, at(3)],
      "two digons + one": [NORTH, at(4)],
      octahedron: [...POLES, at(4)],
      "trigonal prism": [[51.57, 3, 0], [128.43, 3, 0]],
      "pentagon + one": [NORTH, at(5)],
      "pentagonal bipyramid": [...POLES, at(5)],
      "capped octahedron": [NORTH, [73.28, 3, 0], [128.77, 3, 60]],
      "square antiprism": [[55.91, 4, 0], [124.09, 4, 45]],
      "snub disphenoid": [[38.38, 2, 0], [141.62, 2, 90], [71.85, 2, 90], [108.15, 2, 0]],
      cube: [[54.7356, 4, 0], [125.2644, 4, 0]],
      "hexagonal bipyramid": [...POLES, at(6)],
      "tricapped trigonal prism": [[45.28, 3, 0], [134.72, 3, 0], at(3, 60)],
      "capped square antiprism": [NORTH, [68.77, 4, 0], [127.68, 4, 45]],
      "bicapped square antiprism": [...POLES, [65, 4, 0], [115, 4, 45]],
      sphenocorona: [[35.1, 2, 0], [64.64, 2, 90], [99.23, 2, 32.45], [99.23, 2, -32.45], [147.07, 2, 90]],
      "three triangles + one": [NORTH, [65.86, 3, 0], [93.06, 3, 60], [138.24, 3, 0]],
    },
  } // prettier-ignore

  // Returns the unit vectors of a shape, and the angles between them in degrees.
  function directions(rings) {
    const turned = degrees => (degrees * Math.PI) / 180
    return rings.flatMap(([polar, count, turn]) =>
      Array.from({ length: count }, (_, k) => {
        const around = turned(turn + (360 * k) / count)
        const radius = Math.sin(turned(polar))
        return [radius * Math.cos(around), radius * Math.sin(around), Math.cos(turned(polar))]
      }),
    )
  }

  const length = column => Math.hypot(...column)
  const cosine = (one, two) => {
    const product = one.reduce((sum, value, k) => sum + value * two[k], 0)
    return Math.max(-1, Math.min(1, product / Math.max(1e-12, length(one) * length(two))))
  }
  const angles = columns =>
    columns.map((one, i) => columns.map((two, j) => (i === j ? 0 : (Math.acos(cosine(one, two)) * 180) / Math.PI)))

  const KNOWN = Object.fromEntries(
    Object.entries(SHAPES).map(([d, shapes]) => [
      d,
      Object.entries(shapes).map(([name, rings]) => ({ name, angles: angles(directions(rings)) })),
    ]),
  )

  const columnsOf = W => Array.from({ length: W.length / 3 }, (_, i) => [...W.slice(3 * i, 3 * i + 3)])

  // Returns the least largest error of an angle over all numberings of the shape's vertices, or infinity beyond `limit`.
  function miss(found, known, limit) {
    const used = known.map(() => false)
    const order = []
    let best = Infinity
    const place = worst => {
      const k = order.length
      if (k === found.length) {
        best = worst
        return
      }
      for (let vertex = 0; vertex < known.length; vertex++) {
        if (used[vertex]) continue
        let error = worst
        for (let j = 0; j < k; j++) error = Math.max(error, Math.abs(found[k][j] - known[vertex][order[j]]))
        if (error >= best || error > limit) continue
        used[vertex] = true
        order.push(vertex)
        place(error)
        order.pop()
        used[vertex] = false
      }
    }
    place(0)
    return best
  }

  // Returns the name of the shape that the represented columns of W (3 per feature) form in d dimensions, or "other".
  function shapeOf(W, d) {
    const live = columnsOf(W).filter(column => length(column) > REPRESENTED)
    const found = angles(live)
    let [name, least] = [OTHER, TOLERANCE]
    for (const shape of KNOWN[d]) {
      if (shape.angles.length !== live.length) continue
      const error = miss(found, shape.angles, least)
      if (error <= least) [name, least] = [shape.name, error]
    }
    return name
  }

  // ---- What a census counts ----------------------------------------------------------------------------------------

  // Returns where the partners of coupled features stand; `coupling` "together", "apart", or "none" for six features
  // in arbitrary pairs. The first outcome that fits counts, as in the published census.
  function partnersOf(W, pairs, coupling) {
    const columns = columnsOf(W)
    const cosines = pairs.map(([i, j]) => cosine(columns[i], columns[j]))
    const whole = columns.every(column => length(column) > REPRESENTED)
    const upright = whole && cosines.every(value => Math.abs(value) < ORTHOGONAL)
    const opposite = whole && cosines.every(value => value < OPPOSITE)
    const spread = cosines.every(value => value > HEXAGON[0] && value < HEXAGON[1])
    const two = pairs.length === 2
    const expected = coupling === "apart" ? opposite : two ? upright : whole && spread && besides(columns, pairs)
    if (expected) return "partners as expected"
    if (two && upright) return "partners orthogonal instead"
    const merged = cosines.some(value => value > MERGED)
    if (!two && whole && !merged) return "six directions, partners elsewhere"
    return merged ? "partners merged" : OTHER
  }

  // Whether the partners of every pair are neighbours in the order of angles in the plane.
  function besides(columns, pairs) {
    const turn = columns.map(([x, y]) => Math.atan2(y, x))
    const order = turn.map((_, i) => i).sort((i, j) => turn[i] - turn[j])
    const count = columns.length
    return pairs.every(([i, j]) => [1, count - 1].includes((order.indexOf(i) - order.indexOf(j) + count) % count))
  }

  const oddOf = W => (length([...W.slice(0, 3)]) > REPRESENTED ? "odd feature kept" : "odd feature left out")

  // Returns how often each kind occurs, the most frequent first: [[kind, count], ...].
  function census(kinds) {
    const counts = new Map()
    for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    return [...counts].sort((one, two) => two[1] - one[1])
  }

  // Returns by how many standard errors two shares differ, each of so many runs, if both come from one population. One
  // run of each outcome is added to either (Agresti), so that shares of 0 and 1 have an error too.
  function difference(count, total, otherCount, otherTotal) {
    const [a, b] = [(count + 1) / (total + 2), (otherCount + 1) / (otherTotal + 2)]
    const common = (count + otherCount + 2) / (total + otherTotal + 4)
    return Math.abs(a - b) / Math.sqrt(common * (1 - common) * (1 / (total + 2) + 1 / (otherTotal + 2)))
  }

  globalThis.LiveShapes = {
    SHAPES, OTHER, exactLoss, linearOptimum, directions, columnsOf, shapeOf, partnersOf, oddOf, census, difference,
  } // prettier-ignore
}
