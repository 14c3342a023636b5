// Lines for screen readers and logs: what changes is said once, in words, with no control of the cursor.
import type { KnibClient } from "@knib/host-daemon/client";
import { stayConnected } from "./app/connection.ts";
import type { Msg } from "./app/msg.ts";
import { initialState, type State } from "./app/state.ts";
import { update } from "./app/update.ts";
import { SCREENS } from "./screens/index.ts";
import { steady } from "./view/cells.ts";

/** What the stream says of a state: the dashboard's lines. */
export const plainLines = (state: State): readonly string[] =>
	SCREENS.dashboard
		.body(state, { screen: "dashboard", id: null }, 120)
		.rows.filter((row) => row.target !== null || /^(problem|warning|need) /.test(row.id))
		.map((row) => steady(row.cells.map((cell) => cell.text.trim()).join(" ")));

/** Streams what changes until the signal. */
export const runPlain = async (options: {
	readonly connect: () => Promise<KnibClient>;
	readonly write: (line: string) => void;
	readonly signal: AbortSignal;
	readonly now: () => number;
}): Promise<void> => {
	let state = initialState({
		size: { width: 120, height: 40 },
		now: options.now(),
		readOnly: true,
		draws: "nothing",
	});
	let said = new Set<string>();
	let link = "";
	const dispatch = (msg: Msg): void => {
		const [next] = update(state, msg);
		state = next;
		if (state.link.state !== link)
			options.write(
				state.link.state === "lost"
					? `daemon lost: ${state.link.message ?? ""}`
					: `daemon ${state.link.state}`,
			);
		link = state.link.state;
		// Progress alone is left to those who look: a line each quarter of a second helps nobody who listens.
		if (msg.type === "job-event" && msg.event.type === "progress") return;
		const lines = plainLines(state);
		for (const line of lines) if (!said.has(line)) options.write(line);
		said = new Set(lines);
	};
	await stayConnected({
		connect: options.connect,
		dispatch,
		onClient: () => undefined,
		signal: options.signal,
	});
};
