// Shows a display with noVNC in headless Chromium, types a text, and writes what the canvas shows
// into a file, again and again until its standard input ends.
// Arguments: the folder with node_modules, Chromium, the display's URL, the text, the file.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'

const [web, executablePath, url, text, file] = process.argv.slice(2)
const { chromium } = createRequire(join(web, 'package.json'))('playwright-core')
const root = join(web, 'node_modules/@novnc/novnc')
const page = `<!doctype html><title>noVNC</title><body style="margin:0"><div id="screen" style="width:640px;height:480px"></div>
<script type="module">
import RFB from '/core/rfb.js'
const rfb = new RFB(document.getElementById('screen'), ${JSON.stringify(url)})
rfb.addEventListener('connect', () => { window.connected = true })
rfb.addEventListener('disconnect', (event) => { window.failed = 'disconnected: ' + event.detail.clean })
window.rfb = rfb
</script>`

const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, 'http://here').pathname)
  if (path === '/') {
    response.setHeader('content-type', 'text/html').end(page)
    return
  }
  try {
    const body = await readFile(join(root, path))
    response.setHeader('content-type', extname(path) === '.js' ? 'text/javascript' : 'application/octet-stream')
    response.end(body)
  } catch {
    response.writeHead(404).end()
  }
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))

let ended = false
process.stdin.on('end', () => { ended = true })
process.stdin.resume()

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
try {
  const tab = await browser.newPage({ viewport: { width: 640, height: 480 } })
  tab.on('pageerror', (error) => console.error('page:', error.message))
  await tab.goto(`http://127.0.0.1:${server.address().port}/`)
  await tab.waitForFunction(() => window.connected || window.failed, undefined, { timeout: 50000 })
  const failed = await tab.evaluate(() => window.failed)
  if (failed) throw new Error(failed)
  const canvas = tab.locator('#screen canvas')
  await canvas.click({ position: { x: 200, y: 200 } })
  await tab.keyboard.type(text)
  await tab.keyboard.press('Enter')
  while (!ended) {
    const pixels = await tab.evaluate(() => {
      const data = window.rfb.getImageData().data
      let binary = ''
      for (let at = 0; at < data.length; at += 32768) binary += String.fromCharCode(...data.subarray(at, at + 32768))
      return btoa(binary)
    })
    await writeFile(file + '.new', Buffer.from(pixels, 'base64'))
    await rename(file + '.new', file)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
} finally {
  await browser.close()
  server.close()
}
