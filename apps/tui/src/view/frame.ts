// What is drawn, as plain data: a frame is exactly as many lines as the terminal has, each a list of toned spans.

/** What a span means; the renderer turns it into colours or, without colour, into bold and reverse. */
export type Tone = "plain" | "dim" | "bold" | "good" | "warn" | "bad" | "accent";

/** A piece of a line. */
export type Span = { readonly text: string; readonly tone: Tone; readonly reverse?: boolean };
export type Line = readonly Span[];
/** All lines of the terminal, top first. */
export type Frame = { readonly lines: readonly Line[] };

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
