// update(state, msg) → [state, effects]: no I/O, no clock.
import type { JobEvent, JobView } from "@knib/core";
import { resolve } from "../keymap/resolve.ts";
import type { Act } from "./acts.ts";
import { runBound } from "./dispatch.ts";
import { modalKey } from "./modal.ts";
import { onMouse } from "./mouse.ts";
import type { Effect, Key, Msg } from "./msg.ts";
import { enter, needs, type Step, toast } from "./navigate.ts";
import { type FormModal, type Picture, placeIn, type State } from "./state.ts";

const onKey = (state: State, key: Key): Step => {
	if (state.modal !== null) return modalKey(state, state.modal, key);
	const bound = resolve(state, key.name);
	return bound === undefined ? [state, []] : runBound(state, bound);
};

const withJob = (state: State, job: JobView): State => {
	const jobs = state.data.jobs ?? [];
	const known = jobs.some((one) => one.id === job.id);
	const next = known ? jobs.map((one) => (one.id === job.id ? job : one)) : [...jobs, job];
	return { ...state, data: { ...state.data, jobs: next } };
};

const RATES = 60;

const onProgress = (state: State, event: Extract<JobEvent, { type: "progress" }>): State => {
	const job = state.data.jobs?.find((one) => one.id === event.job);
	if (job === undefined) return state;
	const { phase, progress } = event;
	const rates = [...(state.rates[job.id] ?? []), progress.rate].slice(-RATES);
	return {
		...withJob(state, { ...job, phase, progress }),
		rates: { ...state.rates, [job.id]: rates },
	};
};

const onJobEvent = (state: State, event: JobEvent): Step => {
	if (event.type === "progress") return [onProgress(state, event), []];
	if (event.type === "job") return [withJob(state, event.job), []];
	if (event.type === "log") {
		const lines = state.logs[event.job];
		if (lines === undefined) return [state, []];
		return [{ ...state, logs: { ...state.logs, [event.job]: [...lines, event.line] } }, []];
	}
	const { [event.job.id]: _, ...rates } = state.rates;
	const { vm } = event.job;
	return readAgain(withJob({ ...state, rates }, event.job), vm?.uuid ?? null);
};

/** Read when asked for. Files of a backup do not change, and listing them starts a machine; looking over the host starts programs. */
const COSTLY: ReadonlySet<Effect["type"]> = new Set<Effect["type"]>(["files", "doctor"]);

/** What was known of the place and its lists is asked for anew; until then the old stays. */
const readAgain = (state: State, vm: string | null): Step => [
	state,
	[{ type: "refresh", vm }, ...needs(placeIn(state).route).filter(({ type }) => !COSTLY.has(type))],
];

const onBackupsOf = (
	state: State,
	{ vm, backups }: Extract<Msg, { type: "backups-of" }>,
): State => {
	const others = (state.data.backups ?? []).filter((one) => one.vm.uuid !== vm);
	const all = [...others, ...backups].sort((a, b) => (a.createdAt > b.createdAt ? -1 : 1));
	return { ...state, data: { ...state.data, backups: all } };
};

const onDetail = (state: State, { backup }: Extract<Msg, { type: "detail" }>): Step => {
	const { id, blocked } = backup;
	const next: State = {
		...state,
		details: { [id]: backup },
		blocked: { ...state.blocked, [id]: blocked },
	};
	const has = backup.validated?.screenshot === true && state.draws !== "nothing";
	const known =
		state.picture?.backup === id && isCurrent(state.picture.shown, backup.validated?.at);
	return [next, has && !known ? [{ type: "picture", id }] : []];
};

const isCurrent = (shown: Picture | string, at: string | undefined): boolean =>
	typeof shown !== "string" && shown.at === at;

const withoutProblems = (state: State, lists: readonly string[]): State["problems"] =>
	Object.fromEntries(Object.entries(state.problems).filter(([list]) => !lists.includes(list)));

/** How often a list is read again that is read only while it is looked at, ms. */
const LOOK_MS = 5000;

const onTick = (state: State, now: number): Step => [
	{
		...state,
		now,
		toast: state.toast !== null && state.toast.until <= now ? null : state.toast,
	},
	Math.floor(now / LOOK_MS) === Math.floor(state.now / LOOK_MS)
		? []
		: needs(placeIn(state).route).filter(({ type }) => type === "list"),
];

const onLink = (state: State, msg: Extract<Msg, { type: "link" }>): Step => {
	const since = msg.state === "lost" && state.link.state === "lost" ? state.link.since : state.now;
	const { type: _, ...link } = msg;
	return [{ ...state, link: { ...link, since } }, []];
};

/** A form for what of its acts was not done, so that none is done twice. */
const leftOf = (form: FormModal, acts: readonly Act[], done: number): FormModal => {
	const [target = form.target, ...others] = [form.target, ...form.others].slice(done);
	const next = acts[done];
	if (done === 0 || next === undefined) return form;
	const more = others.length === 0 ? "" : `, and ${others.length} more`;
	return { ...form, target, others, title: `${next.title}${more}`, notes: [] };
};

/** What came from a form goes back to it, with all that was filled in; what was opened meanwhile stays. */
const onFailed = (state: State, { acts, done, text }: Extract<Msg, { type: "failed" }>): State => {
	const { modal, asked } = state;
	const planning = modal?.kind === "confirm" && modal.acts === acts;
	const form = planning ? modal.form : asked?.acts === acts ? asked.form : null;
	const rest: State = { ...state, asked: null, modal: planning ? null : modal };
	return form !== null && rest.modal === null
		? { ...rest, toast: null, modal: { ...leftOf(form, acts, done), error: text } }
		: toast(rest, text, "bad");
};

/** The next state, and what is to be done outside. */
export const update = (state: State, msg: Msg): Step => {
	switch (msg.type) {
		case "key":
			return onKey(state, msg.key);
		case "mouse":
			return onMouse(state, msg);
		case "graphics":
			return [{ ...state, draws: "pixels" }, []];
		case "backups-of":
			return [onBackupsOf(state, msg), []];
		case "detail":
			return onDetail(state, msg);
		case "files":
			return [{ ...state, files: { ...state.files, [msg.id]: msg.shown } }, []];
		case "picture":
			return [{ ...state, picture: { backup: msg.backup, shown: msg.shown } }, []];
		case "resize":
			return [{ ...state, size: msg.size }, []];
		case "tick":
			return onTick(state, msg.now);
		case "link":
			return onLink(state, msg);
		case "data":
			return [
				{
					...state,
					data: { ...state.data, ...msg.data },
					problems: withoutProblems(state, Object.keys(msg.data)),
				},
				[],
			];
		case "problem":
			return [{ ...state, problems: { ...state.problems, [msg.list]: msg.message } }, []];
		case "job-event":
			return onJobEvent(state, msg.event);
		case "log":
			return [{ ...state, logs: { ...state.logs, [msg.job]: msg.lines } }, []];
		case "blocked":
			return [{ ...state, blocked: { ...state.blocked, [msg.id]: msg.blocked } }, []];
		case "planned": {
			const { modal } = state;
			if (modal?.kind !== "confirm" || modal.acts !== msg.acts) return [state, []];
			return [{ ...state, modal: { ...modal, plans: msg.plans } }, []];
		}
		case "done": {
			const said = toast({ ...state, asked: null }, msg.text, "good");
			const [shown] = msg.job === null ? [said] : enter(said, { screen: "job", id: msg.job });
			return readAgain(shown, null);
		}
		case "told":
			return [{ ...state, modal: { kind: "told", told: msg.told } }, []];
		case "failed":
			return [onFailed(state, msg), []];
		case "said":
			return [toast(state, msg.text, "warn"), []];
	}
};
