// What was done on this host and by whom, how jobs ended, and alerts: the newest first.
import { span, type Tone } from "../view/frame.ts";
import { minute, signOf } from "../view/signs.ts";
import { emptyWords, noTarget, type Screen } from "./screen.ts";

const TONES: Readonly<Record<string, Tone>> = { act: "accent", job: "plain", alert: "warn" };

export const events: Screen = {
	title: () => "Events",
	target: noTarget,
	body: (state) => ({
		head: [],
		sortable: true,
		empty: emptyWords(state, "events", "nothing has happened yet"),
		columns: [
			{ head: "TIME", width: 16 },
			{ head: "KIND", width: 7 },
			{ head: "WHO", width: 14, from: 100 },
			{ head: "VM", width: 16, grows: true },
			{ head: "WHAT", width: 0 },
		],
		rows: (state.data.events ?? []).map(({ at, kind, who, vm, text }, index, all) => {
			const tone = TONES[kind] ?? "plain";
			return {
				// Counted from the oldest, so that it stays when newer ones come.
				id: `${at} ${all.length - index}`,
				target: vm === null ? null : { kind: "vm", id: vm.uuid },
				open: vm === null ? null : { screen: "vm", id: vm.uuid },
				cells: [
					{ ...span(minute(at)), key: at },
					span(`${signOf(tone)} ${kind}`, tone),
					span(who),
					span(vm?.name ?? "-"),
					span(text, kind === "alert" ? "warn" : "plain"),
				],
			};
		}),
	}),
};
