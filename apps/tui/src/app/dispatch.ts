// From a binding to what it does. Pure.

import { short } from "@knib/core/text";
import { type Bound, disabledReason } from "../keymap/resolve.ts";
import { shownIn, targetsIn } from "../screens/rows.ts";
import { quoted } from "./acts.ts";
import { ask } from "./ask.ts";
import { filesRoute } from "./files-place.ts";
import { back, enter, goTo, mark, moveBy, type Step, sortNext, toast } from "./navigate.ts";
import { placeIn, type ScreenName, type State, type Target } from "./state.ts";

const SHOWS: Readonly<Record<Target["kind"], string>> = {
	vm: "vm show",
	backup: "backup show",
	chain: "chain show",
	job: "job show",
	offering: "offering show",
	repository: "repository show",
	setting: "settings get",
	host: "host show",
	peer: "peer show",
	schedule: "schedule preview",
	selector: "selector list",
};

/** The command line that shows a target. */
export const showLine = (state: State, { kind, id }: Target): string => {
	const { vms, offerings, repositories } = state.data;
	const name =
		vms?.find((one) => one.uuid === id)?.name ??
		offerings?.find((one) => one.id === id)?.name ??
		repositories?.find((one) => one.id === id)?.name;
	return `knib ${SHOWS[kind]} ${quoted(name ?? (kind === "setting" ? id : short(id)))}`;
};

const copy = (state: State): Step => {
	const [target] = targetsIn(state);
	if (target === undefined) return [toast(state, "nothing is selected", "warn"), []];
	const text = showLine(state, target);
	return [toast(state, `copied: ${text}`, "good"), [{ type: "copy", text }]];
};

const open = (state: State): Step => {
	const { rows, index } = shownIn(state);
	const route = rows[index]?.open ?? null;
	return route === null ? [state, []] : enter(state, route);
};

const page = (state: State): number => Math.max(1, state.size.height - 8);
const FAR = 1_000_000;

const GLOBAL: Readonly<Record<string, (state: State) => Step>> = {
	open,
	back: (state) => [back(state), []],
	filter: (state) => [{ ...state, modal: { kind: "filter", text: "" } }, []],
	palette: (state) => [{ ...state, modal: { kind: "palette", text: "", index: 0 } }, []],
	help: (state) => [{ ...state, modal: { kind: "help", offset: 0 } }, []],
	quit: (state) => [state, [{ type: "quit" }]],
	down: (state) => [moveBy(state, 1), []],
	up: (state) => [moveBy(state, -1), []],
	top: (state) => [moveBy(state, -FAR), []],
	bottom: (state) => [moveBy(state, FAR), []],
	"page-down": (state) => [moveBy(state, page(state)), []],
	"page-up": (state) => [moveBy(state, -page(state)), []],
	mark: (state) => [mark(state), []],
	sort: (state) => [sortNext(state), []],
	copy,
	refresh: (state) => [state, [{ type: "refresh", vm: null }]],
	redraw: (state) => [state, [{ type: "redraw" }]],
	suspend: (state) => [state, [{ type: "suspend" }]],
};

const TOP: readonly ScreenName[] = [
	"dashboard",
	"vms",
	"chains",
	"backups",
	"jobs",
	"offerings",
	"repositories",
	"settings",
	"hosts",
	"peers",
	"events",
	"schedules",
	"selectors",
	"retention",
];

/** Does what a binding says, or says why not. */
export const runBound = (state: State, bound: Bound): Step => {
	const { binding, target } = bound;
	const reason = disabledReason(state, bound);
	if (reason !== null) return [toast(state, `${binding.label}: ${reason}`, "warn"), []];
	if (target !== null && binding.action === "files") {
		const place = { backup: target.id, disk: "", partition: null, path: null };
		const [entered] = enter(state, filesRoute(place));
		return [entered, [{ type: "detail", id: target.id }]];
	}
	if (target !== null && binding.action === "screen")
		return placeIn(state).route.screen === "screen"
			? [back(state), []]
			: enter(state, { screen: "screen", id: target.id });
	const screen = TOP.find((one) => binding.action === `go-${one}`);
	if (screen !== undefined) return goTo(state, { screen, id: null });
	if (target !== null) return ask(state, binding.action, target);
	return GLOBAL[binding.action]?.(state) ?? [state, []];
};
