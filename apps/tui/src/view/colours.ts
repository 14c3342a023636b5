// The nearest colour that a terminal has.
import type { Depth } from "./theme.ts";

const parts = (colour: number): readonly [number, number, number] => [
	(colour >> 16) & 0xff,
	(colour >> 8) & 0xff,
	colour & 0xff,
];

const STEPS = [0, 95, 135, 175, 215, 255];
const nearestStep = (value: number): number =>
	STEPS.reduce(
		(best, step, at) => (Math.abs(step - value) < Math.abs((STEPS[best] ?? 0) - value) ? at : best),
		0,
	);

/** The number of the nearest of 256 colours: of the cube or of the greys. */
export const of256 = (colour: number): number => {
	const [red, green, blue] = parts(colour);
	const cube = 16 + 36 * nearestStep(red) + 6 * nearestStep(green) + nearestStep(blue);
	const grey = (red + green + blue) / 3;
	const flat = Math.max(red, green, blue) - Math.min(red, green, blue) < 12;
	if (!flat || grey < 4 || grey > 246) return cube;
	return 232 + Math.min(23, Math.max(0, Math.round((grey - 8) / 10)));
};

// As xterm has them; what the operator's theme makes of them cannot be known.
const BASIC = [
	...[0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5],
	...[0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff],
];

const distance = (a: number, b: number): number => {
	const [[ar, ag, ab], [br, bg, bb]] = [parts(a), parts(b)];
	return 2 * (ar - br) ** 2 + 4 * (ag - bg) ** 2 + 3 * (ab - bb) ** 2;
};

/** The number of the nearest of 16 colours. */
export const of16 = (colour: number): number =>
	BASIC.reduce(
		(best, one, at) => (distance(one, colour) < distance(BASIC[best] ?? 0, colour) ? at : best),
		0,
	);

/** The code that sets a colour; nothing where there is none. */
export const colourCode = (colour: number, where: "ink" | "ground", depth: Depth): string => {
	const base = where === "ink" ? 38 : 48;
	if (depth === "true") return `\u001b[${base};2;${parts(colour).join(";")}m`;
	if (depth === "256") return `\u001b[${base};5;${of256(colour)}m`;
	if (depth === "none") return "";
	const at = of16(colour);
	return `\u001b[${at < 8 ? base - 8 + at : base + 52 + at - 8}m`;
};
