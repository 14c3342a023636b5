// Pictures for terminals that draw pixels: the protocol of kitty, and sixels.
import type { Placed } from "../view/frame.ts";
import { shrunk } from "../view/picture.ts";

/** What a terminal that draws pixels understands. */
export type Graphics = "none" | "kitty" | "sixel";

/** Pixels of a cell, where the terminal did not say. */
export const USUAL_CELL = { width: 8, height: 16 } as const;

const CHUNK = 4096;
const KITTY_ID = 0x6b6e;

/** Forgets the picture of kitty's. */
export const KITTY_GONE = `\u001b_Ga=d,d=I,i=${KITTY_ID},q=2\u001b\\`;

/** A picture in the cells it was placed in, by kitty's protocol; the cursor is moved there first. */
export const kittyCode = ({ png, width, height }: Placed): string => {
	const parts = png.match(new RegExp(`.{1,${CHUNK}}`, "gs")) ?? [];
	return parts
		.map((part, at) => {
			const first = at === 0 ? `a=T,f=100,i=${KITTY_ID},c=${width},r=${height},C=1,q=2,` : "";
			return `\u001b_G${first}m=${at === parts.length - 1 ? 0 : 1};${part}\u001b\\`;
		})
		.join("");
};

/** Turns pixels into sixels; the library's `image2sixel`. */
export type SixelEncoder = (
	data: Uint8Array,
	width: number,
	height: number,
	colours: number,
) => string;

/** A picture as sixels, as large as the cells it was placed in. */
export const sixelCode = (
	placed: Placed,
	cell: { readonly width: number; readonly height: number },
	encode: SixelEncoder,
): string => {
	const small = shrunk(placed.pixels, placed.width * cell.width, placed.height * cell.height);
	return encode(small.data, small.width, small.height, 256);
};
