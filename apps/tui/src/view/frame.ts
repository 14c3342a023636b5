// What is drawn, as plain data: a frame is exactly as many lines as the terminal has, each a list of toned spans, and at most one
// picture that lies over them.

/** What a span means; the theme turns it into colours or, without colour, into bold and reverse. */
export type Tone = "plain" | "dim" | "bold" | "good" | "warn" | "bad" | "accent";

/** A piece of a line. `ink` and `ground` are colours of a picture, as 0xRRGGBB. */
export type Span = {
	readonly text: string;
	readonly tone: Tone;
	readonly reverse?: boolean;
	readonly ink?: number;
	readonly ground?: number;
};
export type Line = readonly Span[];

/** Pixels of a picture, four bytes each (red, green, blue, alpha), rows from the top. */
export type Pixels = {
	readonly width: number;
	readonly height: number;
	readonly data: Uint8Array;
};

/** A picture for terminals that draw pixels, and the cells that it takes. */
export type Placed = {
	readonly top: number;
	readonly left: number;
	readonly width: number;
	readonly height: number;
	readonly pixels: Pixels;
	/** The same as PNG, in base64. */
	readonly png: string;
};

/** All lines of the terminal, top first. */
export type Frame = { readonly lines: readonly Line[]; readonly picture: Placed | null };

/** Columns and rows of the terminal. */
export type Size = { readonly width: number; readonly height: number };

/** A span of a tone. */
export const span = (text: string, tone: Tone = "plain"): Span => ({ text, tone });

/** A frame as text, for tests and captures; blanks at the ends of lines are dropped. */
export const frameText = (frame: Frame): string =>
	frame.lines
		.map((line) =>
			line
				.map((one) => one.text)
				.join("")
				.trimEnd(),
		)
		.join("\n");
