// Paints frames with blessed: one long-lived box a line, and only lines that changed are given to it. A frame like the last one
// writes nothing at all.
import blessed from "blessed";
import type { Key } from "../app/msg.ts";
import type { Frame, Size } from "../view/frame.ts";
import { painted, type Theme } from "../view/theme.ts";
import { keyOf } from "./input.ts";

/** The terminal as a renderer needs it. */
export type Streams = {
	readonly input: NodeJS.ReadStream;
	readonly output: NodeJS.WriteStream;
	readonly theme: Theme;
};

/** A terminal under our control until `close`. */
export type Renderer = {
	readonly size: () => Size;
	readonly paint: (frame: Frame) => void;
	/** Everything anew at the next paint. */
	readonly forget: () => void;
	readonly onKey: (listener: (key: Key) => void) => void;
	readonly onResize: (listener: () => void) => void;
	/** Gives the terminal back for a while, as for a stopped process. */
	readonly leave: () => void;
	readonly comeBack: () => void;
	/** Gives the terminal back. Repeatable. */
	readonly close: () => void;
};

const numberOf = (value: unknown, otherwise: number): number =>
	typeof value === "number" && value > 0 ? value : otherwise;

/** Takes the terminal: alternate screen, raw keys, no cursor. */
export const createRenderer = ({ input, output, theme }: Streams): Renderer => {
	const screen = blessed.screen({
		input,
		output,
		terminal: "xterm-256color",
		forceUnicode: !theme.ascii,
		fullUnicode: !theme.ascii,
		smartCSR: true,
		resizeTimeout: 50,
		warnings: false,
	});
	const { program } = screen;
	// Lines would come out as letters of the alternate character set.
	Object.assign(screen.tput, { brokenACS: true, unicode: !theme.ascii });
	const boxes: { box: blessed.Widgets.BoxElement; text: string }[] = [];
	let closed = false;

	const boxAt = (top: number): { box: blessed.Widgets.BoxElement; text: string } => {
		const known = boxes[top];
		if (known !== undefined) return known;
		const made = {
			box: blessed.box({ parent: screen, top, left: 0, width: "100%", height: 1, wrap: false }),
			text: "",
		};
		boxes[top] = made;
		return made;
	};
	program.hideCursor();
	return {
		size: () => ({ width: numberOf(screen.width, 80), height: numberOf(screen.height, 24) }),
		paint: (frame) => {
			if (closed) return;
			let changed = false;
			frame.lines.forEach((line, top) => {
				const one = boxAt(top);
				const text = painted(line, theme);
				if (one.text === text) return;
				one.text = text;
				one.box.setContent(text);
				changed = true;
			});
			for (const gone of boxes.splice(frame.lines.length)) gone.box.destroy();
			if (changed) screen.render();
		},
		forget: () => {
			for (const one of boxes) one.text = "";
			screen.alloc();
		},
		onKey: (listener) => {
			program.on("keypress", (text: unknown, key: unknown) => {
				const pressed = keyOf(text, key);
				if (pressed !== null) listener(pressed);
			});
		},
		onResize: (listener) => {
			screen.on("resize", listener);
		},
		leave: () => {
			program.showCursor();
			program.normalBuffer();
			program.flush();
			if (input.isTTY) input.setRawMode(false);
		},
		comeBack: () => {
			if (input.isTTY) input.setRawMode(true);
			program.alternateBuffer();
			program.hideCursor();
			for (const one of boxes) one.text = "";
			screen.alloc();
		},
		close: () => {
			if (closed) return;
			closed = true;
			screen.destroy();
			program.showCursor();
			program.flush();
		},
	};
};
