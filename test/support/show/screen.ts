// The screen of a made-up guest: lines of letters on a dark ground under a bar, as PNG.
import { PNG } from "pngjs";

const [WIDTH, HEIGHT] = [720, 400];
const INKS = [
	[120, 200, 120],
	[200, 200, 200],
	[220, 180, 90],
	[110, 160, 220],
] as const;

/** A console with a bar on top and some text. */
export const showScreen = (): Uint8Array => {
	const png = new PNG({ width: WIDTH, height: HEIGHT });
	for (let y = 0; y < HEIGHT; y++) {
		for (let x = 0; x < WIDTH; x++) {
			const [row, column] = [Math.floor(y / 16), Math.floor(x / 9)];
			const length = 12 + ((row * 29) % 44);
			const letter =
				row > 2 && row < 22 && column > 1 && column < length && (column * row) % 7 !== 0;
			const inked = letter && y % 16 > 3 && y % 16 < 13 && (x * 5 + y * 3) % 7 < 4;
			const [r, g, b] =
				y < 24
					? [60, 20 + Math.floor(x / 6), 160]
					: inked
						? (INKS[row % 4] ?? INKS[0])
						: [16, 16, 28];
			png.data.set([r, g, b, 255], (y * WIDTH + x) * 4);
		}
	}
	return PNG.sync.write(png);
};
