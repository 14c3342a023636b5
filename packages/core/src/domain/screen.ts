/** A picture: 4 bytes a pixel (red, green, blue, alpha), row by row from the top left. */
export type Bitmap = {
	readonly width: number;
	readonly height: number;
	readonly data: Uint8Array;
};

/** Pixels that may differ without meaning anything: a blinking cursor is at most 16 by 16. */
const CURSOR_PIXELS = 256;

/** The colour of a pixel as one number; -1 beyond the picture. */
const colourAt = ({ data }: Bitmap, pixel: number): number => {
	const [red, green, blue] = data.subarray(pixel * 4, pixel * 4 + 3);
	if (red === undefined || green === undefined || blue === undefined) return -1;
	return (red << 16) | (green << 8) | blue;
};

const pixels = (bitmap: Bitmap): number => bitmap.width * bitmap.height;

/** Number of pixels that are not of the most frequent colour. */
export const inkOf = (bitmap: Bitmap): number => {
	const counts = new Map<number, number>();
	for (let pixel = 0; pixel < pixels(bitmap); pixel++) {
		const colour = colourAt(bitmap, pixel);
		counts.set(colour, (counts.get(colour) ?? 0) + 1);
	}
	const most = [...counts.values()].reduce((a, b) => Math.max(a, b), 0);
	return pixels(bitmap) - most;
};

/** Number of pixels that differ; pictures of different sizes differ everywhere. */
export const differingPixels = (a: Bitmap, b: Bitmap): number => {
	if (a.width !== b.width || a.height !== b.height) return Math.max(pixels(a), pixels(b));
	let count = 0;
	for (let pixel = 0; pixel < pixels(a); pixel++) {
		if (colourAt(a, pixel) !== colourAt(b, pixel)) count += 1;
	}
	return count;
};

/** Judges a guest's screen: more than one colour, and not what the firmware showed right after the start. `first` is null when that could not be taken. What a blinking cursor alone changes does not count. */
export const judgeScreen = (
	screen: Bitmap,
	first: Bitmap | null,
): { readonly ok: boolean; readonly message: string } => {
	const size = `${screen.width}x${screen.height}`;
	if (inkOf(screen) <= CURSOR_PIXELS) {
		return { ok: false, message: `the screen (${size}) is of one colour: nothing was drawn` };
	}
	if (first !== null && differingPixels(screen, first) <= CURSOR_PIXELS) {
		return {
			ok: false,
			message: `the screen (${size}) still shows what the firmware showed right after the start`,
		};
	}
	return { ok: true, message: `a screen of ${size} that the guest has drawn` };
};
