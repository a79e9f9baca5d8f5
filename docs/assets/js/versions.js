// On a published site, lists its versions in the footer, and says on an older one that there is a newer one.
// A site that was built here, or is read from disk, has one version and asks for nothing.

const place = /^(.*\/)(latest|v\/[^/]+)\/(.*)$/.exec(location.pathname)

async function listVersions([, top, folder, page]) {
  const answer = await fetch(`${top}versions.json`)
  if (!answer.ok) return
  const versions = await answer.json()
  const newest = versions[0].version
  const here = folder === "latest" ? newest : folder.slice(2)
  showList(versions, here, top, page)
  if (here !== newest) showNewer(here, newest, top, page)
}

function link(address, text) {
  const made = document.createElement("a")
  made.href = address
  made.textContent = text
  return made
}

function showList(versions, here, top, page) {
  const line = document.createElement("p")
  line.className = "versions"
  line.append("Versions: ")
  versions.forEach(({ version, date }, index) => {
    if (index) line.append(", ")
    const made = link(`${top}v/${version}/${page}`, version)
    made.title = date
    if (version === here) made.setAttribute("aria-current", "true")
    line.append(made)
  })
  document.querySelector(".md-copyright")?.append(line)
}

function showNewer(here, newest, top, page) {
  const note = document.createElement("aside")
  note.className = "notice older"
  note.setAttribute("aria-label", "Newer version")
  note.append(`This is version ${here}. `, link(`${top}latest/${page}`, `Version ${newest}`), " is newer; ")
  note.append(link(`${top}latest/citing.html#verdicts-that-changed`, "what changed"), ".")
  document.querySelector(".md-content__inner")?.prepend(note)
}

if (place && location.protocol.startsWith("http")) {
  listVersions(place).catch(() => {}) // a server without the list shows one version, as from disk
}
