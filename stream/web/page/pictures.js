// Decodes the pictures of a camera, and of several that wait only the newest.

const HEADER = 10;                 // bytes before a JPEG: camera index uint16, time float64, big-endian

export const cameraOf = (buffer) => new DataView(buffer).getUint16(0);

export class NewestPicture {
  // `draw` gets each decoded picture.
  constructor(draw) {
    this.draw = draw;
    this.waiting = null;
    this.isDrawing = false;
  }

  // Draw a picture. One that arrives during decoding replaces the waiting one.
  async show(buffer) {
    this.waiting = new Blob([new Uint8Array(buffer, HEADER)], { type: "image/jpeg" });
    if (this.isDrawing) return;
    this.isDrawing = true;
    while (this.waiting) {
      const newest = this.waiting;
      this.waiting = null;
      try {
        const picture = await createImageBitmap(newest);
        this.draw(picture);
        picture.close();
      } catch (error) {
        console.warn("a picture could not be decoded", error);
      }
    }
    this.isDrawing = false;
  }
}
