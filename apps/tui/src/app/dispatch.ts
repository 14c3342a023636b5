// From a binding to what it does. Pure.

import { short } from "@knib/core/text";
import { type Bound, disabledReason } from "../keymap/resolve.ts";
import { checkId } from "../screens/doctor.ts";
import { shownIn, targetsIn } from "../screens/rows.ts";
import { quoted } from "./acts.ts";
import { ask } from "./ask.ts";
import { chosenFiles, filesRoute } from "./files-place.ts";
import type { Effect } from "./msg.ts";
import { back, enter, goTo, mark, moveBy, needs, type Step, sortNext, toast } from "./navigate.ts";
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
	file: "files list",
	check: "doctor",
};

const fileLine = (id: string): string => {
	const { backup, disk, partition, paths } = chosenFiles(id);
	const where = partition === null ? "" : ` --partition ${quoted(partition)}`;
	return `knib files list ${short(backup)} --disk ${disk}${where} ${paths.map(quoted).join(" ")}`;
};

/** The command line that shows a target, or mends it. */
export const showLine = (state: State, { kind, id }: Target): string => {
	if (kind === "file") return fileLine(id);
	if (kind === "check")
		return state.data.checks?.find((one) => checkId(one) === id)?.fix ?? "knib doctor";
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

/** What the screen needs itself. Files of a backup do not change: only what could not be listed is tried again. */
const again = (state: State): readonly Effect[] => {
	const { route } = placeIn(state);
	const failed = typeof state.files[route.id ?? ""] === "string";
	return needs(route).filter(({ type }) => type !== "files" || failed);
};

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
	refresh: (state) => [state, [{ type: "refresh", vm: null }, ...again(state)]],
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
	"doctor",
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
