// For further viewers: everything but the drawing, so that the machine measures servers, not browsers.
{
  const counts = { messages: 0, bytes: 0 };
  globalThis.__viewer = counts;
  for (const owner of [globalThis.CanvasRenderingContext2D, globalThis.OffscreenCanvasRenderingContext2D]) {
    if (!owner) continue;
    owner.prototype.drawImage = () => {};
    owner.prototype.putImageData = () => {};
  }
  const Socket = globalThis.WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', (event) => {
        const size = event.data.byteLength ?? event.data.size ?? event.data.length;
        counts.bytes += size;
        // Answers and statistics are short; pictures of a changing screen are not.
        if (size > 400) counts.messages += 1;
      });
    }
  };
}
