// The keys that count now, on one line: as many as fit, those that do nothing now left out first, help always there.
import type { State } from "../app/state.ts";
import { keyName } from "../keymap/keymap.ts";
import { type Bound, boundIn, disabledReason } from "../keymap/resolve.ts";
import type { Shown } from "../screens/rows.ts";
import { type Line, span } from "../view/frame.ts";

type Item = { readonly key: string; readonly label: string; readonly off: boolean };

const itemOf = (state: State, bound: Bound): Item => ({
	key: keyName(bound.binding.keys[0] ?? ""),
	label: bound.binding.label,
	off: disabledReason(state, bound) !== null,
});

const widthOf = (items: readonly Item[]): number =>
	items.reduce((sum, { key, label }) => sum + key.length + label.length + 3, 0);

const fitted = (items: readonly Item[], width: number): readonly Item[] => {
	const useful = widthOf(items) <= width ? items : items.filter((one) => !one.off);
	let kept = useful;
	while (kept.length > 0 && widthOf(kept) > width) kept = kept.slice(0, -1);
	return kept;
};

const WHILE = {
	filter: " type to filter   enter keep   esc all rows",
	palette: " type to find   ↓ choose   enter do   esc leave",
	form: " ↓ next field   space tick or choose   enter see what would happen   esc leave",
	confirm: " enter do   esc back   ^Y copy the command line",
	help: " j k scroll   esc leave",
	told: " y copy   esc leave",
} as const;

/** The footer. */
export const footerLine = (state: State, shown: Shown): Line => {
	const { width } = state.size;
	if (state.modal !== null) return [span(WHILE[state.modal.kind], "dim")];
	const leads = (shown.rows[shown.index]?.open ?? null) !== null;
	const bound = boundIn(state, shown).filter(
		({ binding: { footer, action, changes } }) =>
			footer && (leads || action !== "open") && !(changes && state.readOnly),
	);
	const isHelp = ({ binding }: Bound): boolean => binding.action === "help";
	const help = bound.filter(isHelp).map((one) => itemOf(state, one));
	const others = bound.filter((one) => !isHelp(one)).map((one) => itemOf(state, one));
	return [...fitted(others, width - widthOf(help)), ...help].flatMap(({ key, label, off }) => [
		span(` ${key}`, off ? "dim" : "accent"),
		span(` ${label} `, off ? "dim" : "plain"),
	]);
};
