// What update asks for is done here, and comes back as messages: the only place that waits for anything.
import { asKnibError, viewError } from "@knib/core";
import { short } from "@knib/core/text";
import type { KnibClient } from "@knib/host-daemon/client";
import type { Act, Change } from "./acts.ts";
import type { Effect, Msg } from "./msg.ts";
import type { Data } from "./state.ts";

type Api = KnibClient["api"];
type Dispatch = (msg: Msg) => void;

const words = (error: unknown): string => {
	const { message, hint } = viewError(asKnibError(error));
	return `${message}; next: ${hint}`;
};

const READERS: { readonly [L in keyof Data]: (api: Api) => Promise<Partial<Data>> } = {
	hosts: async (api) => ({ hosts: await api.host.list.query() }),
	vms: async (api) => ({ vms: await api.vm.list.query() }),
	jobs: async (api) => ({ jobs: await api.job.list.query({}) }),
	repositories: async (api) => ({ repositories: await api.repository.list.query() }),
	chains: async (api) => ({ chains: await api.chain.list.query({}) }),
	backups: async (api) => ({ backups: await api.backup.list.query({ all: true }) }),
	offerings: async (api) => ({ offerings: await api.offering.list.query({}) }),
	settings: async (api) => ({ settings: await api.settings.list.query({}) }),
};
/** Lists that change without a job of ours. */
export const LIVE: readonly (keyof Data)[] = ["vms", "hosts", "repositories"];
/** All lists, those that the dashboard needs first. */
export const LISTS: readonly (keyof Data)[] = [
	"jobs",
	"vms",
	"hosts",
	"repositories",
	"chains",
	"backups",
	"offerings",
	"settings",
];

/** Reads lists; each comes as it is there, and one that cannot be read does not keep the others. */
export const readLists = async (
	api: Api,
	lists: readonly (keyof Data)[],
	dispatch: Dispatch,
): Promise<void> => {
	await Promise.all(
		lists.map((list) =>
			READERS[list](api).then(
				(data) => dispatch({ type: "data", data }),
				(error: unknown) =>
					dispatch({ type: "problem", list, message: asKnibError(error).message }),
			),
		),
	);
};

const change = async (api: Api, one: Change, dryRun: boolean): Promise<unknown> => {
	switch (one.call) {
		case "pin":
			return await api.backup.pin.mutate({ backup: one.backup, dryRun });
		case "unpin":
			return await api.backup.unpin.mutate({ backup: one.backup, dryRun });
		case "undelete":
			return await api.backup.undelete.mutate({ backup: one.backup, dryRun });
		case "set":
			return await api.settings.set.mutate({ name: one.name, value: one.value, dryRun });
		case "unset":
			return await api.settings.unset.mutate({ name: one.name, dryRun });
		case "assign":
			return await api.vm.assign.mutate({ vm: one.vm, offering: one.offering, dryRun });
		case "cancel":
			return dryRun ? null : await api.job.cancel.mutate({ job: one.job });
		case "retry":
			return dryRun ? null : await api.job.retry.mutate({ job: one.job });
		case "rescan":
			return dryRun ? null : await api.repository.rescan.mutate({ repository: one.repository });
	}
};

const isPlan = (value: unknown): value is Awaited<ReturnType<Api["job"]["plan"]["query"]>> =>
	typeof value === "object" && value !== null && "explain" in value && "steps" in value;

const planOf = async (api: Api, { does }: Act) => {
	if (does.kind === "job") return await api.job.plan.query(does.request);
	const answer = await change(api, does.change, true);
	const plan =
		typeof answer === "object" && answer !== null && "plan" in answer ? answer.plan : null;
	return isPlan(plan) ? plan : null;
};

/** Does an act; answers the job that it started, if any. */
const carryOut = async (api: Api, { does }: Act): Promise<string | null> => {
	if (does.kind === "job") return (await api.job.start.mutate(does.request)).id;
	const answer = await change(api, does.change, false);
	const retried =
		does.change.call === "retry" && typeof answer === "object" && answer !== null && "id" in answer;
	return retried && typeof answer.id === "string" ? answer.id : null;
};

const performActs = async (api: Api, acts: readonly Act[], dispatch: Dispatch): Promise<void> => {
	const jobs: (string | null)[] = [];
	for (const act of acts) jobs.push(await carryOut(api, act));
	const [job = null] = jobs;
	const [act] = acts;
	const what = acts.length === 1 ? (act?.title ?? "") : `${acts.length} acts`;
	dispatch({
		type: "done",
		text: job === null ? `done: ${what}` : `job ${short(job)}: ${what}`,
		job: jobs.length === 1 ? job : null,
	});
};

const perform = async (api: Api, effect: Effect, dispatch: Dispatch): Promise<void> => {
	if (effect.type === "plan") {
		const plans = await Promise.all(effect.acts.map((act) => planOf(api, act)));
		dispatch({ type: "planned", acts: effect.acts, plans });
	} else if (effect.type === "act") await performActs(api, effect.acts, dispatch);
	else if (effect.type === "log") {
		dispatch({ type: "log", job: effect.job, lines: await api.job.log.query({ job: effect.job }) });
	} else if (effect.type === "blocked") {
		const { kind, id } = effect;
		const { blocked } =
			kind === "backup"
				? await api.backup.show.query({ backup: id })
				: await api.chain.show.query({ chain: id });
		dispatch({ type: "blocked", id, blocked });
	} else if (effect.type === "refresh") await readLists(api, LISTS, dispatch);
};

/** Carries an effect out that needs the daemon; what goes wrong comes back in words. */
export const runEffect = async (
	client: KnibClient | null,
	effect: Effect,
	dispatch: Dispatch,
): Promise<void> => {
	if (client === null) {
		if (effect.type !== "refresh")
			dispatch({ type: "failed", text: "the daemon cannot be reached" });
		return;
	}
	await perform(client.api, effect, dispatch).catch((error: unknown) =>
		dispatch({ type: "failed", text: words(error) }),
	);
};
