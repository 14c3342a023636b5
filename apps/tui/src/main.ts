// Owns the terminal: takes it, gives it back whatever happens, and wires loop, daemon and painter together.
import type { KnibClient } from "@knib/host-daemon/client";
import { stayConnected } from "./app/connection.ts";
import { runEffect } from "./app/effects.ts";
import { type Loop, startLoop } from "./app/loop.ts";
import type { Effect } from "./app/msg.ts";
import { initialState } from "./app/state.ts";
import { update } from "./app/update.ts";
import { createRenderer, type Renderer } from "./blessed/renderer.ts";
import { view } from "./view/view.ts";

export { runPlain } from "./plain.ts";

/** What the interface is started with. */
export type TuiOptions = {
	readonly connect: () => Promise<KnibClient>;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly readOnly: boolean;
};

const TICK_MS = 1000;
const later = (act: () => void, ms: number): (() => void) => {
	const timer = setTimeout(act, ms);
	return () => clearTimeout(timer);
};

const themeOf = (env: TuiOptions["env"]) => {
	const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
	return { colour: (env["NO_COLOR"] ?? "") === "", ascii: !/utf-?8/i.test(locale) };
};

const copyCode = (text: string): string =>
	`\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`;

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

/** Runs until the operator leaves or a signal comes; answers the signal's exit code, or 0. Rejects with what broke it. */
export const runTui = async (options: TuiOptions): Promise<number> => {
	const renderer = createRenderer({
		input: process.stdin,
		output: process.stdout,
		theme: themeOf(options.env),
	});
	const over = new AbortController();
	let client: KnibClient | null = null;
	let clean = (): void => undefined;
	const ended = new Promise<number>((resolve, reject) => {
		const quit = (): void => resolve(0);
		const local = localEffects(renderer, () => loop, quit);
		const loop = startLoop(
			initialState({ size: renderer.size(), now: Date.now(), readOnly: options.readOnly }),
			{
				update,
				view,
				paint: renderer.paint,
				later,
				run: (effect) => {
					if (!local(effect)) void runEffect(client, effect, loop.dispatch);
				},
			},
		);
		renderer.onKey((key) => loop.dispatch({ type: "key", key }));
		renderer.onResize(() => loop.dispatch({ type: "resize", size: renderer.size() }));
		const timer = setInterval(() => loop.dispatch({ type: "tick", now: Date.now() }), TICK_MS);
		const listeners: readonly [NodeJS.Signals, () => void][] = [
			["SIGTERM", () => resolve(143)],
			["SIGINT", () => resolve(130)],
			["SIGHUP", () => resolve(129)],
			["SIGTSTP", () => local({ type: "suspend" })],
			[
				"SIGCONT",
				() => {
					renderer.comeBack();
					loop.paintNow();
				},
			],
		];
		for (const [signal, act] of listeners) process.on(signal, act);
		process.on("uncaughtException", reject);
		process.on("unhandledRejection", reject);
		void stayConnected({
			connect: options.connect,
			dispatch: loop.dispatch,
			onClient: (next) => {
				client = next;
			},
			signal: over.signal,
		});
		clean = () => {
			loop.stop();
			clearInterval(timer);
			for (const [signal, act] of listeners) process.off(signal, act);
			process.off("uncaughtException", reject);
			process.off("unhandledRejection", reject);
		};
	});
	try {
		return await ended;
	} finally {
		clean();
		over.abort();
		renderer.close();
	}
};
