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
}
