// What the terminal says of itself comes in on the same line as the keys. It is taken out here, so that no answer is ever read as
// keys, however late it comes.
import { PassThrough } from "node:stream";
import type { Graphics } from "./pixels.ts";

/** What a terminal says by itself: an answer, or what the mouse did, in cells from 0. */
export type Reply =
	| {
			readonly type: "mouse";
			readonly act: "press" | "up" | "down";
			readonly x: number;
			readonly y: number;
	  }
	| { readonly type: "graphics"; readonly graphics: Graphics }
	| { readonly type: "cell"; readonly width: number; readonly height: number };

const KITTY_QUESTION = "\u001b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u001b\\";

/** Asks whether the terminal draws pixels as kitty does, how large a cell is, and whether it knows sixels; each answer is optional. A multiplexer would take the first for a title. */
export const questions = (env: Readonly<Record<string, string | undefined>>): string => {
	const { TMUX: tmux = "", STY: screen = "", TERM: term = "" } = env;
	const multiplexed = tmux !== "" || screen !== "" || /^(screen|tmux)/.test(term);
	return `${multiplexed ? "" : KITTY_QUESTION}\u001b[16t\u001b[c`;
};

const ESC = "\u001b";
const KITTY = `${ESC}_G([^${ESC}]*)${ESC}\\\\`;
const ATTRIBUTES = `${ESC}\\[\\?([\\d;]*)c`;
const CELL = `${ESC}\\[6;(\\d+);(\\d+)t`;
const MOUSE = `${ESC}\\[<(\\d+);(\\d+);(\\d+)([Mm])`;
const ANSWER = new RegExp([KITTY, ATTRIBUTES, CELL, MOUSE].join("|"), "g");
const BEGUN = new RegExp(`${ESC}(_[^${ESC}]*${ESC}?|\\[\\?[\\d;]*|\\[6;[\\d;]*|\\[<[\\d;]*)$`);

const BUTTONS: Readonly<Record<string, "press" | "up" | "down">> = {
	0: "press",
	64: "up",
	65: "down",
};

const mouseOf = (button: string, x: string, y: string, released: boolean): Reply | null => {
	const act = BUTTONS[button];
	if (act === undefined || released) return null;
	return { type: "mouse", act, x: Number(x) - 1, y: Number(y) - 1 };
};

const replyOf = (match: RegExpMatchArray): Reply | null => {
	const [, kitty, attributes, height, width, button, x = "", y = "", end] = match;
	if (button !== undefined) return mouseOf(button, x, y, end === "m");
	if (kitty !== undefined) {
		return kitty.endsWith(";OK") ? { type: "graphics", graphics: "kitty" } : null;
	}
	if (attributes !== undefined) {
		const sixel = attributes.split(";").slice(1).includes("4");
		return sixel ? { type: "graphics", graphics: "sixel" } : null;
	}
	const cell = { width: Number(width), height: Number(height) };
	return cell.width > 0 && cell.height > 0 ? { type: "cell", ...cell } : null;
};

/** Splits input into replies and what was typed; `rest` is the beginning of an answer that has not come whole. */
export const splitInput = (
	text: string,
): { readonly replies: readonly Reply[]; readonly typed: string; readonly rest: string } => {
	const replies = [...text.matchAll(ANSWER)].flatMap((match) => replyOf(match) ?? []);
	const typed = text.replace(ANSWER, "");
	const begun = BEGUN.exec(typed)?.[0] ?? "";
	const whole = begun.length > 0 && begun.length < 400;
	return {
		replies,
		typed: whole ? typed.slice(0, -begun.length) : typed,
		rest: whole ? begun : "",
	};
};

/** A terminal's input without its answers. `stop` lets go of the real one. */
export const filteredInput = (input: NodeJS.ReadStream, onReply: (reply: Reply) => void) => {
	const keys = new PassThrough();
	let rest = "";
	const onData = (chunk: Buffer): void => {
		const split = splitInput(rest + chunk.toString("utf8"));
		rest = split.rest;
		for (const reply of split.replies) onReply(reply);
		if (split.typed !== "") keys.write(split.typed);
	};
	input.on("data", onData);
	return {
		keys,
		stop: () => {
			input.off("data", onData);
			input.pause();
		},
	};
};
