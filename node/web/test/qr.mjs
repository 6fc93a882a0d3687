// What is in the QR code of a picture, by a reader that is not ours: `node test/qr.mjs WIDTH HEIGHT < rgba`.

import jsQR from "jsqr";
import { readFileSync } from "node:fs";

const [width, height] = process.argv.slice(2).map(Number);
const found = jsQR(new Uint8ClampedArray(readFileSync(0)), width, height);
if (!found) throw new Error("no QR code in this picture");
process.stdout.write(found.data);
