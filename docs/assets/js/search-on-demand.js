// The theme fetches the index of the search with every page, which weighs more than most of its pictures. Here the
// fetch waits until a reader goes to the search field. From a server it is a request, from disk a script.
{
  const INDEX = /\/search\/search_index\.js(on)?$/
  const wanted = new Promise(resolve => {
    if (new URLSearchParams(location.search).has("q")) resolve()
    addEventListener("focusin", event => event.target.matches?.(".md-search__input") && resolve())
  })

  const { open, send } = XMLHttpRequest.prototype
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.waits = INDEX.test(url)
    return open.call(this, method, url, ...rest)
  }
  XMLHttpRequest.prototype.send = function (body) {
    if (this.waits) wanted.then(() => send.call(this, body))
    else send.call(this, body)
  }

  const append = document.head.appendChild
  document.head.appendChild = node => {
    if (!INDEX.test(node.src ?? "")) return append.call(document.head, node)
    wanted.then(() => append.call(document.head, node))
    return node
  }

  // Hyphens part words, so the index knows the id of a figure as one word too, a tag with underscores. A word with
  // hyphens is asked for both ways; that a page lacks the second is not worth telling.
  const [QUERY, RESULT] = [2, 3]
  const HYPHENATED = /(?<![^\s"])[a-z0-9]+(?:-[a-z0-9]+)+(?![^\s"])/gi
  const ABSTRACT = /(?<=\w{3}al)ity(?![^\s"])/gi // all endings of a word are found: "antipodal" finds "antipodality"
  const asked = query => query.replace(HYPHENATED, id => `${id} id_${id.replaceAll("-", "_")}`).replace(ABSTRACT, "")

  window.Worker = class extends window.Worker {
    constructor(...address) {
      super(...address)
      this.addEventListener("message", ({ data: { type, data } }) => {
        if (type !== RESULT) return
        for (const { terms } of data.items.flat()) {
          for (const term in terms) if (term.includes("_")) delete terms[term]
        }
      })
    }

    postMessage(message, ...rest) {
      const isQuery = message.type === QUERY && typeof message.data === "string"
      super.postMessage(isQuery ? { ...message, data: asked(message.data) } : message, ...rest)
    }
  }
}
