// Owns the terminal: takes it, gives it back whatever happens, and wires loop, daemon and painter together.
import type { KnibClient } from "@knib/host-daemon/client";
import { stayConnected } from "./app/connection.ts";
import { type Doctor, runDoctorEffect, runEffect } from "./app/effects.ts";
import { type Loop, startLoop } from "./app/loop.ts";
import type { Effect } from "./app/msg.ts";
import type { Opened } from "./app/opened.ts";
import { initialState, type State } from "./app/state.ts";
import { update } from "./app/update.ts";
import { createRenderer, type Renderer } from "./blessed/renderer.ts";
import { type Theme, type ThemeName, themeOf } from "./view/theme.ts";
import { view } from "./view/view.ts";

export { runPlain } from "./plain.ts";
export { THEME_NAMES, type ThemeName } from "./view/theme.ts";

/** What the interface is started with. */
export type TuiOptions = {
	readonly connect: () => Promise<KnibClient>;
	/** The first connection, where it is under way already. */
	readonly ahead?: Promise<Opened>;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly readOnly: boolean;
	readonly theme: ThemeName;
	readonly mouse: boolean;
	/** Looks over this host, also where no daemon answers. */
	readonly doctor: Doctor;
};

const TICK_MS = 1000;
const later = (act: () => void, ms: number): (() => void) => {
	const timer = setTimeout(act, ms);
	return () => clearTimeout(timer);
};

const copyCode = (text: string): string =>
	`\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`;

const drawsOf = ({ depth, ascii }: Theme): State["draws"] =>
	depth === "none" || ascii ? "nothing" : "blocks";

const localEffects =
	(renderer: Renderer, loop: () => Loop, quit: () => void) =>
	(effect: Effect): boolean => {
		if (effect.type === "quit") quit();
		else if (effect.type === "copy") process.stdout.write(copyCode(effect.text));
		else if (effect.type === "redraw") {
			renderer.forget();
			loop().paintNow();
		} else if (effect.type === "suspend") {
			renderer.leave();
			process.kill(process.pid, "SIGSTOP");
		} else return false;
		return true;
	};

type Signals = readonly (readonly [NodeJS.Signals, () => void])[];

/** What ends the interface or gives the terminal away for a while; answers how to forget it. */
const listen = (signals: Signals, broken: (error: unknown) => void): (() => void) => {
	for (const [signal, act] of signals) process.on(signal, act);
	process.on("uncaughtException", broken);
	process.on("unhandledRejection", broken);
	return () => {
		for (const [signal, act] of signals) process.off(signal, act);
		process.off("uncaughtException", broken);
		process.off("unhandledRejection", broken);
	};
};

/** Runs until the operator leaves or a signal comes; answers the signal's exit code, or 0. Rejects with what broke it. */
export const runTui = async (options: TuiOptions): Promise<number> => {
	const theme = themeOf(options.env, options.theme);
	const over = new AbortController();
	let client: KnibClient | null = null;
	const cleaners: (() => void)[] = [];
	const ended = new Promise<number>((resolve, reject) => {
		const renderer = createRenderer({
			...{ input: process.stdin, output: process.stdout, theme, mouse: options.mouse },
			env: options.env,
			onKey: (key) => loop.dispatch({ type: "key", key }),
			onMouse: ({ act, x, y }) => loop.dispatch({ type: "mouse", act, x, y }),
			onResize: () => loop.dispatch({ type: "resize", size: renderer.size() }),
			onGraphics: () => loop.dispatch({ type: "graphics" }),
		});
		const quit = (): void => resolve(0);
		const local = localEffects(renderer, () => loop, quit);
		const { readOnly } = options;
		const first = { size: renderer.size(), now: Date.now(), readOnly, draws: drawsOf(theme) };
		const loop = startLoop(initialState(first), {
			...{ update, view, paint: renderer.paint, later },
			run: (effect) => {
				if (local(effect)) return;
				if (effect.type === "doctor") void runDoctorEffect(options.doctor, loop.dispatch);
				else void runEffect(client, effect, loop.dispatch);
			},
		});
		const timer = setInterval(() => loop.dispatch({ type: "tick", now: Date.now() }), TICK_MS);
		const signals: Signals = [
			["SIGTERM", () => resolve(143)],
			["SIGINT", () => resolve(130)],
			["SIGHUP", () => resolve(129)],
			["SIGTSTP", () => local({ type: "suspend" })],
			[
				"SIGCONT",
				() => {
					renderer.comeBack();
					loop.dispatch({ type: "resize", size: renderer.size() });
					loop.paintNow();
				},
			],
		];
		// A terminal that is gone cannot be told anything: it ends like a hang-up.
		const lost = (): void => resolve(129);
		process.stdout.on("error", lost);
		process.stdin.on("error", lost);
		process.stdin.on("end", lost);
		cleaners.push(
			loop.stop,
			() => clearInterval(timer),
			listen(signals, reject),
			() => process.stdin.off("end", lost),
			renderer.close,
		);
		void stayConnected({
			...{ connect: options.connect, ahead: options.ahead },
			dispatch: loop.dispatch,
			onClient: (next) => {
				client = next;
			},
			signal: over.signal,
		});
	});
	try {
		return await ended;
	} finally {
		over.abort();
		for (const clean of cleaners) clean();
	}
};
