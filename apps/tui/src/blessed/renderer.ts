// Paints frames and reads keys. Only lines that changed are written, each whole and in its place, so that nothing of an older one
// is ever left; a frame like the last one writes nothing at all. blessed reads the keys; its screen is not used, since it knows 256
// colours and no pixels.
import program from "blessed/lib/program.js";
import type { Key } from "../app/msg.ts";
import type { Frame, Placed, Size } from "../view/frame.ts";
import { painted, type Theme } from "../view/theme.ts";
import { keyOf } from "./input.ts";
import {
	type Graphics,
	KITTY_GONE,
	kittyCode,
	type SixelEncoder,
	sixelCode,
	USUAL_CELL,
} from "./pixels.ts";
import { filteredInput, questions, type Reply } from "./replies.ts";

/** The terminal as a renderer needs it. */
export type Streams = {
	readonly input: NodeJS.ReadStream;
	readonly output: NodeJS.WriteStream;
	readonly theme: Theme;
	/** What the terminal says of itself. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Take clicks and the wheel; the terminal's own selection then needs shift. */
	readonly mouse: boolean;
	readonly onKey: (key: Key) => void;
	readonly onResize: () => void;
	readonly onMouse: (mouse: Extract<Reply, { type: "mouse" }>) => void;
	/** The terminal said that it draws pixels. */
	readonly onGraphics: () => void;
};

/** A terminal under our control until `close`. */
export type Renderer = {
	readonly size: () => Size;
	readonly paint: (frame: Frame) => void;
	/** Everything anew at the next paint. */
	readonly forget: () => void;
	/** Gives the terminal back for a while, as for a stopped process. */
	readonly leave: () => void;
	readonly comeBack: () => void;
	/** Gives the terminal back. Repeatable. */
	readonly close: () => void;
};

const CSI = "\u001b[";
const MOUSE = [`${CSI}?1000h${CSI}?1006h`, `${CSI}?1006l${CSI}?1000l`] as const;
/** Other screen, no wrapping, no cursor, empty. */
const TAKE = `${CSI}?1049h${CSI}?7l${CSI}?25l${CSI}0m${CSI}2J`;
const GIVE = `${CSI}0m${CSI}?7h${CSI}?25h${CSI}?1049l`;
/** Terminals that know it show what is between at once. */
const AT_ONCE = [`${CSI}?2026h`, `${CSI}?2026l`] as const;

const at = (top: number, left = 0): string => `${CSI}${top + 1};${left + 1}H`;
const numberOf = (value: unknown, otherwise: number): number =>
	typeof value === "number" && value > 0 ? value : otherwise;

const under = (picture: Placed, lines: readonly number[]): boolean =>
	lines.some((top) => top >= picture.top && top < picture.top + picture.height);

/** Takes the terminal: other screen, raw keys, no cursor. */
export const createRenderer = (streams: Streams): Renderer => {
	const { input, output, theme } = streams;
	let graphics: Graphics = "none";
	let cell: Size = USUAL_CELL;
	let sixels: SixelEncoder | null = null;
	let shown: string[] = [];
	let drawn: Placed | null = null;
	let held = false;

	const onReply = (reply: Reply): void => {
		if (reply.type === "mouse") streams.onMouse(reply);
		else if (reply.type === "cell") cell = reply;
		else if (graphics !== "kitty") {
			graphics = reply.graphics;
			if (graphics === "kitty") streams.onGraphics();
			else
				void import("sixel").then(({ image2sixel }) => {
					sixels = image2sixel;
					streams.onGraphics();
				});
		}
	};
	const { keys, stop } = filteredInput(input, onReply);
	// Its types want a table of the terminal's abilities, of which nothing is used.
	const options: object = { input: keys, output, tput: false };
	const keyboard = program(options);
	keyboard.on("keypress", (text: unknown, key: unknown) => {
		const pressed = keyOf(text, key);
		if (pressed !== null) streams.onKey(pressed);
	});
	output.on("resize", streams.onResize);

	const forget = (): void => {
		shown = [];
		drawn = null;
	};
	const take = (): void => {
		if (input.isTTY) input.setRawMode(true);
		output.write(TAKE + (streams.mouse ? MOUSE[0] : ""));
		forget();
		held = true;
	};
	const give = (): void => {
		if (!held) return;
		held = false;
		output.write((graphics === "kitty" ? KITTY_GONE : "") + (streams.mouse ? MOUSE[1] : "") + GIVE);
		if (input.isTTY) input.setRawMode(false);
	};
	const codeOf = (picture: Placed): string => {
		const place = at(picture.top, picture.left);
		if (graphics === "kitty") return place + kittyCode(picture);
		return sixels === null ? "" : place + sixelCode(picture, cell, sixels);
	};
	const pictureCode = (picture: Placed | null, changed: readonly number[]): string => {
		const same =
			picture?.png === drawn?.png &&
			picture?.top === drawn?.top &&
			picture?.left === drawn?.left &&
			picture?.width === drawn?.width;
		if (same && (picture === null || !under(picture, changed))) return "";
		const gone = drawn !== null && graphics === "kitty" ? KITTY_GONE : "";
		drawn = picture;
		return gone + (picture === null ? "" : codeOf(picture));
	};
	/** Sixels stay in the cells until these are written anew. */
	const uncover = (picture: Placed | null): void => {
		if (drawn === null || graphics !== "sixel" || picture?.png === drawn.png) return;
		for (let top = drawn.top; top < drawn.top + drawn.height; top++) shown[top] = "";
	};

	take();
	if (theme.depth !== "none") output.write(questions(streams.env));
	return {
		size: () => ({ width: numberOf(output.columns, 80), height: numberOf(output.rows, 24) }),
		paint: ({ lines, picture }) => {
			if (!held) return;
			uncover(picture);
			const changed: number[] = [];
			let code = "";
			for (const [top, line] of lines.entries()) {
				const text = painted(line, theme);
				if (shown[top] === text) continue;
				shown[top] = text;
				changed.push(top);
				code += at(top) + text;
			}
			shown.length = lines.length;
			code += pictureCode(picture, changed);
			if (code !== "") output.write(AT_ONCE[0] + code + AT_ONCE[1]);
		},
		forget: () => {
			forget();
			if (held) output.write(`${CSI}0m${CSI}2J`);
		},
		leave: give,
		comeBack: take,
		close: () => {
			give();
			output.off("resize", streams.onResize);
			stop();
			keyboard.destroy();
		},
	};
};
