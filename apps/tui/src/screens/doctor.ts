// What doctor finds on this host, the worst first, each with what mends it.
import type { CheckView } from "@knib/core";
import { span, type Tone } from "../view/frame.ts";
import { signOf } from "../view/signs.ts";
import { wrap } from "../widgets/wrap.ts";
import { emptyWords, noTarget, type Row, type Screen } from "./screen.ts";

const TONES: Readonly<Record<CheckView["state"], Tone>> = {
	ok: "good",
	warning: "warn",
	failure: "bad",
};
const NAME = 22;
const STATE = 9;

/** More of a finding below its row; it cannot be selected. */
const below = (id: string, text: string, width: number, tone: Tone): readonly Row[] =>
	wrap(text, Math.max(10, width - 8)).map((part, at) => ({
		id: `${id} ${at}`,
		cells: [span(`      ${part}`, tone)],
		target: null,
		open: null,
		heading: true,
	}));

/** Several checks may have one name. */
export const checkId = ({ name, message }: CheckView): string => `${name}: ${message}`;

const rowsOf = (check: CheckView, width: number): readonly Row[] => {
	const { name, state, message, fix } = check;
	const fits = message.length <= width - NAME - STATE - 4;
	const tone = TONES[state];
	const id = checkId(check);
	return [
		{
			id,
			cells: [
				span(`${signOf(tone)} ${state}`, tone),
				span(name, "bold"),
				span(state === "ok" || fits ? message : "", state === "ok" ? "plain" : tone),
			],
			target: { kind: "check", id },
			open: null,
		},
		...(state === "ok" || fits ? [] : below(`${id} says`, message, width, tone)),
		...(fix === null ? [] : below(`${id} mend`, `mend: ${fix}`, width, "accent")),
	];
};

/** What knib needs on this host, with or without a daemon. */
export const doctor: Screen = {
	title: () => "Doctor",
	target: noTarget,
	body: (state, _, width) => ({
		head: [],
		sortable: false,
		empty: emptyWords(state, "checks", "nothing was checked"),
		columns: [
			{ head: "STATE", width: STATE },
			{ head: "CHECK", width: NAME },
			{ head: "WHAT", width: 0 },
		],
		rows: (state.data.checks ?? []).flatMap((one) => rowsOf(one, width)),
	}),
};
