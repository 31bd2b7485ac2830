/** JPEGs by the browser's own decoder. */

/** Decodes a copy of the bytes; undefined where they are none, which leaves the area as it was. */
export async function decodeJpeg(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ImageBitmap | VideoFrame | undefined> {
  try {
    // Without the detour of a blob through another process.
    if (typeof ImageDecoder !== 'undefined') {
      const decoder = new ImageDecoder({ type: 'image/jpeg', data: bytes });
      try {
        return (await decoder.decode()).image;
      } finally {
        decoder.close();
      }
    }
    return await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
  } catch {
    return undefined;
  }
}
