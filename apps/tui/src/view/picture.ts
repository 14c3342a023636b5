// A picture as cells: each holds two pixels, the upper as its ink and the lower as its ground.
import type { Line, Pixels, Size, Span } from "./frame.ts";

/** A picture made smaller, each pixel the mean of those it stands for; never made larger. */
export const shrunk = (pixels: Pixels, width: number, height: number): Pixels => {
	const [w, h] = [
		Math.max(1, Math.min(width, pixels.width)),
		Math.max(1, Math.min(height, pixels.height)),
	];
	const data = new Uint8Array(w * h * 4);
	for (let y = 0; y < h; y++) {
		const [top, bottom] = [(y * pixels.height) / h, ((y + 1) * pixels.height) / h];
		for (let x = 0; x < w; x++) {
			const [left, right] = [(x * pixels.width) / w, ((x + 1) * pixels.width) / w];
			data.set(meanOf(pixels, [left, right], [top, bottom]), (y * w + x) * 4);
		}
	}
	return { width: w, height: h, data };
};

type Range = readonly [number, number];

const meanOf = ({ data, width }: Pixels, across: Range, down: Range): readonly number[] => {
	let [red, green, blue, count] = [0, 0, 0, 0];
	for (let y = Math.floor(down[0]); y < Math.ceil(down[1]); y++) {
		for (let x = Math.floor(across[0]); x < Math.ceil(across[1]); x++) {
			const at = (y * width + x) * 4;
			red += data[at] ?? 0;
			green += data[at + 1] ?? 0;
			blue += data[at + 2] ?? 0;
			count += 1;
		}
	}
	return [red / count, green / count, blue / count, 255];
};

/** The cells that a picture takes in a space, its shape kept; a cell is twice as high as wide. */
export const cellsOf = (pixels: Pixels, space: Size): Size => {
	const scale = Math.min(space.width / pixels.width, (2 * space.height) / pixels.height, 1);
	return {
		width: Math.max(1, Math.floor(pixels.width * scale)),
		height: Math.max(1, Math.floor((pixels.height * scale) / 2)),
	};
};

const colourAt = ({ data, width }: Pixels, x: number, y: number): number => {
	const at = (y * width + x) * 4;
	return ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
};

/** A picture drawn with half blocks in so many cells. */
export const halfBlocks = (pixels: Pixels, cells: Size): readonly Line[] => {
	const small = shrunk(pixels, cells.width, cells.height * 2);
	return Array.from({ length: Math.floor(small.height / 2) }, (_, row): Line => {
		const line: Span[] = [];
		for (let x = 0; x < small.width; x++) {
			const [ink, ground] = [colourAt(small, x, 2 * row), colourAt(small, x, 2 * row + 1)];
			const last = line.at(-1);
			if (last?.ink === ink && last.ground === ground)
				line[line.length - 1] = { ...last, text: `${last.text}▀` };
			else line.push({ text: "▀", tone: "plain", ink, ground });
		}
		return line;
	});
};
